#include "kernels/norm/batch_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// Everything one call takes; grad is the gradient of its result.
struct Case {
  Tensor input;
  Tensor weight;
  Tensor bias;
  BatchNormRunning running;
  Tensor residual;
  Tensor grad;
  BatchNormParams params;
};

template <typename T>
Case random_case(const Shape& shape, bool residual, bool relu) {
  const Shape channels{shape[-1]};
  return {.input = random_tensor<T>(shape, 1, -1, 3),
          .weight = random_tensor<T>(channels, 2, 0.5, 2),
          .bias = random_tensor<T>(channels, 3),
          .running = {.mean = random_tensor<T>(channels, 4),
                      .var = random_tensor<T>(channels, 5, 0.1, 2)},
          .residual = residual ? random_tensor<T>(shape, 6) : Tensor{},
          .grad = random_tensor<T>(shape, 7),
          .params = {.relu = relu}};
}

struct Result {
  Tensor output;
  BatchNormRunning running;
  std::vector<Tensor> grads;  // input, weight, bias, residual
};

// One call and its gradients. The case's running statistics are left alone.
Result run(const Case& c) {
  std::vector<Tensor> leaves = {c.input, c.weight, c.bias, c.residual};
  for (Tensor& leaf : leaves) {
    if (leaf.defined()) leaf.require_grad();
  }
  Result result;
  result.running = {.mean = c.running.mean.clone(), .var = c.running.var.clone()};
  const Tensor output =
      batch_norm(leaves[0], leaves[1], leaves[2], result.running, leaves[3], c.params);
  backward_from(output, c.grad);
  result.output = output.detach();
  for (const Tensor& leaf : leaves) result.grads.push_back(leaf.grad());
  return result;
}

Case to_device(const Case& c, Device device) {
  return {
      .input = copy_to(c.input, device),
      .weight = copy_to(c.weight, device),
      .bias = copy_to(c.bias, device),
      .running = {.mean = copy_to(c.running.mean, device), .var = copy_to(c.running.var, device)},
      .residual = copy_to(c.residual, device),
      .grad = copy_to(c.grad, device),
      .params = c.params};
}

TEST_CASE("Rejects inputs that do not fit") {
  const Case good = random_case<float>({2, 3, 4, 5}, false, false);
  const auto call = [](const Case& c) {
    return batch_norm(c.input, c.weight, c.bias, c.running, c.residual, c.params);
  };
  Case bad = good;
  bad.input = Tensor{};
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("[..., C]"), ShapeError);
  bad = good;
  bad.bias = random_tensor({4}, 1);
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("bias must be [5]"), ShapeError);
  bad = good;
  bad.running.var = Tensor{};
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("running_var"), ShapeError);
  bad = good;
  bad.residual = random_tensor({2, 3, 4, 6}, 1);
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("differ in shape"), ShapeError);
  bad = good;
  bad.residual = random_tensor<double>({2, 3, 4, 5}, 1);
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("differ in type"), DTypeError);
  bad = good;
  bad.input = random_tensor<double>({2, 3, 4, 5}, 1);
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("must be f64"), DTypeError);
  bad = good;
  bad.params.momentum = 1.5;
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("momentum 1.5"), UsageError);
  bad = good;
  bad.params.eps = std::nan("");
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("eps"), UsageError);
  bad = good;
  bad.running.mean.require_grad();
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("in place"), UsageError);
}

TEST_CASE("Rejects a single pixel, which has no variance") {
  CHECK_THROWS_WITH_AS(run(random_case<float>({1, 1, 1, 5}, false, false)),
                       doctest::Contains("more than one value per channel"), ShapeError);
}

// 1e-5: f32 sums of 70 numbers below 12, on both sides.
void check_golden(const std::string& name, Device device) {
  const test::GoldenFile golden("batch_norm.safetensors");
  const auto at = [&](const std::string& key) { return golden.golden(name + "/" + key); };
  BatchNormRunning running{.mean = at("running_mean"), .var = at("running_var")};
  for (const char* step : {"0/", "1/"}) {
    const auto in_step = [&](const char* key) { return at(step + std::string(key)); };
    const bool fused = name == "fused";
    const Case c{.input = in_step("input"),
                 .weight = at("weight"),
                 .bias = at("bias"),
                 .running = running,
                 .residual = fused ? in_step("residual") : Tensor{},
                 .grad = in_step("grad_output"),
                 .params = {.relu = fused}};
    const Result result = run(to_device(c, device));
    running = {.mean = copy_to(result.running.mean, Device{}),
               .var = copy_to(result.running.var, Device{})};
    CHECK(test::count_far(result.output, in_step("output"), 1e-5F, 1e-5F) == 0);
    CHECK(test::count_far(running.mean, in_step("running_mean"), 1e-5F, 1e-6F) == 0);
    CHECK(test::count_far(running.var, in_step("running_var"), 1e-5F) == 0);
    CHECK(test::count_far(result.grads[0], in_step("grad_input"), 1e-5F, 1e-5F) == 0);
    CHECK(test::count_far(result.grads[1], in_step("grad_weight"), 1e-5F, 1e-5F) == 0);
    CHECK(test::count_far(result.grads[2], in_step("grad_bias"), 1e-5F, 1e-5F) == 0);
    if (fused) CHECK(test::count_different_bits(result.grads[3], in_step("grad_residual")) == 0);
  }
}

TEST_CASE("Matches golden: two steps of torch's BatchNorm2d, plain and fused") {
  check_golden("plain", {});
  check_golden("fused", {});
}

// Of one channel, in double, from the definition.
struct Moments {
  double mean = 0;
  double var = 0;
};

Moments moments_of(const Tensor& input, int64_t channel) {
  const int64_t channels = input.size(-1), pixels = input.numel() / channels;
  const float* x = input.data<const float>();
  Moments moments;
  for (int64_t p = 0; p < pixels; ++p)
    moments.mean += static_cast<double>(x[p * channels + channel]);
  moments.mean /= static_cast<double>(pixels);
  for (int64_t p = 0; p < pixels; ++p) {
    const double distance = static_cast<double>(x[p * channels + channel]) - moments.mean;
    moments.var += distance * distance;
  }
  moments.var /= static_cast<double>(pixels);
  return moments;
}

// With momentum 1 the running statistics are the batch's.
void check_moments(const Tensor& input, double tolerance) {
  Case c = random_case<float>({2, input.size(-1)}, false, false);
  c.input = input;
  c.grad = Tensor::zeros(input.shape());
  c.params.momentum = 1;
  const BatchNormRunning running = run(c).running;
  const auto pixels = static_cast<double>(input.numel() / input.size(-1));
  for (int64_t channel = 0; channel < input.size(-1); ++channel) {
    const Moments expected = moments_of(input, channel);
    const double var = static_cast<double>(running.var.data<const float>()[channel]);
    CHECK(static_cast<double>(running.mean.data<const float>()[channel]) ==
          doctest::Approx(expected.mean).epsilon(1e-6));
    CHECK(var * (pixels - 1) / pixels == doctest::Approx(expected.var).epsilon(tolerance));
  }
}

TEST_CASE("Statistics are exact at block and chunk edges, and for means far from zero") {
  for (const int64_t pixels : {2, 31, 32, 33, 127, 128, 129, 1000, 32769}) {
    CAPTURE(pixels);
    check_moments(random_tensor({pixels, 3}, 1), 1e-6);
  }
  // The inputs' own rounding is far below the tolerance: 10000 has steps of 0.001.
  check_moments(random_tensor({5000, 3}, 2, 10000, 10004), 1e-5);
  // The first pixels of a chunk are not like the rest.
  Tensor input = random_tensor({400, 2}, 3);
  for (int64_t i = 0; i < 2 * 32; ++i) input.data<float>()[i] += 500;
  check_moments(input, 1e-5);
}

TEST_CASE("Gradients match finite differences") {
  for (const Shape& shape : {Shape{2, 3, 5, 4}, Shape{7, 3}, Shape{1, 1, 2, 1}, Shape{150, 2}}) {
    CAPTURE(shape.to_string());
    for (const bool relu : {false, true}) {
      const Case c = random_case<double>(shape, true, relu);
      test::check_gradients(
          [&](const std::vector<Tensor>& in) {
            const BatchNormRunning running{.mean = c.running.mean.clone(),
                                           .var = c.running.var.clone()};
            return batch_norm(in[0], in[1], in[2], running, in[3], c.params);
          },
          {c.input, c.weight, c.bias, c.residual});
    }
  }
}

TEST_CASE("Gives only the gradients that are asked for") {
  const Case c = random_case<float>({2, 3, 4, 5}, true, true);
  const Result all = run(c);
  for (size_t wanted = 0; wanted < 4; ++wanted) {
    std::vector<Tensor> inputs = {c.input, c.weight, c.bias, c.residual};
    inputs[wanted].require_grad();
    const BatchNormRunning running{.mean = c.running.mean.clone(), .var = c.running.var.clone()};
    backward_from(batch_norm(inputs[0], inputs[1], inputs[2], running, inputs[3], c.params),
                  c.grad);
    for (size_t i = 0; i < 4; ++i) CHECK(inputs[i].grad().defined() == (i == wanted));
    CHECK(test::count_far(inputs[wanted].grad(), all.grads[wanted], 1e-6F, 1e-6F) == 0);
  }
}

TEST_CASE("The number of threads does not change a bit") {
  const Case c = random_case<float>({3, 37, 41, 20}, true, true);
  const int threads = num_threads();
  set_num_threads(1);
  const Result one = run(c);
  set_num_threads(4);
  const Result four = run(c);
  set_num_threads(threads);
  CHECK(test::count_different_bits(four.output, one.output) == 0);
  CHECK(test::count_different_bits(four.running.var, one.running.var) == 0);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(test::count_different_bits(four.grads[i], one.grads[i]) == 0);
  }
}

TEST_CASE("Edges: no pixels, no channels, equal values, NaN") {
  for (const Shape& shape : {Shape{0, 4, 4, 3}, Shape{2, 4, 4, 0}}) {
    const Case c = random_case<float>(shape, true, true);
    const Result empty = run(c);
    CHECK(empty.output.shape() == shape);
    CHECK(test::count_different_bits(empty.running.mean, c.running.mean) == 0);
    CHECK(test::count_different_bits(empty.running.var, c.running.var) == 0);
    CHECK(empty.grads[0].shape() == shape);
    CHECK(test::count_different_bits(empty.grads[1], Tensor::zeros({shape[-1]})) == 0);
    CHECK(test::count_different_bits(empty.grads[2], Tensor::zeros({shape[-1]})) == 0);
  }
  Case c = random_case<float>({3, 3, 2}, false, false);
  // No deviation: the bias is all that is left. 1e-3: 3 / sqrt(eps), which the shift takes away
  // again, is rounded in steps of 1e-4.
  fill_(c.input, 3);
  const Result equal = run(c);
  for (int64_t i = 0; i < c.input.numel(); ++i) {
    CHECK(equal.output.data<const float>()[i] ==
          doctest::Approx(c.bias.data<const float>()[i % 2]).epsilon(1e-3));
  }
  c.params.relu = true;
  c.input.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const Result poisoned = run(c);
  CHECK(std::isnan(poisoned.output.data<const float>()[4]));
  CHECK_FALSE(std::isnan(poisoned.output.data<const float>()[5]));  // the other channel
  CHECK(std::isnan(poisoned.running.mean.data<const float>()[0]));
}

TEST_CASE("CUDA matches golden: two steps of torch's BatchNorm2d, plain and fused") {
  test::on_cuda([](Device device) {
    check_golden("plain", device);
    check_golden("fused", device);
  });
}

// f32 sums in another order. bf16 is one rounding of each map away from f32 of the rounded inputs;
// the sums see the same numbers.
void check_cuda(const Shape& shape, bool fused, Device device) {
  CAPTURE(shape.to_string());
  Case c = random_case<float>(shape, fused, fused);
  const auto compare = [](const Result& actual, const Result& expected, float relative) {
    CHECK(test::count_far(actual.output, expected.output, relative, 1e-5F) == 0);
    CHECK(test::count_far(actual.running.mean, expected.running.mean, 1e-5F, 1e-6F) == 0);
    CHECK(test::count_far(actual.running.var, expected.running.var, 1e-5F) == 0);
    for (size_t i = 0; i < 4; ++i) {
      if (!expected.grads[i].defined()) continue;
      const bool is_map = i == 0 || i == 3;
      CHECK(test::count_far(actual.grads[i], expected.grads[i], is_map ? relative : 1e-5F, 2e-5F) ==
            0);
    }
  };
  compare(run(to_device(c, device)), run(c), 1e-5F);
  for (Tensor* map : {&c.input, &c.residual, &c.grad}) {
    if (map->defined()) *map = test::rounded_to_bf16(*map);
  }
  Case narrow = to_device(c, device);
  for (Tensor* map : {&narrow.input, &narrow.residual, &narrow.grad}) {
    if (map->defined()) *map = cast(*map, DType::kBF16);
  }
  compare(run(narrow), run(c), test::kBf16Rounding);
}

TEST_CASE("CUDA gradients match the CPU's at pack, tile and chunk edges") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 31, 33, 72}) {
      check_cuda({1, 3, 3, channels}, true, device);
    }
    check_cuda({129, 8}, false, device);
    check_cuda({2, 1}, false, device);
    check_cuda({0, 5, 7, 12}, true, device);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda(
      [](Device device) {
        const Case c = random_case<float>({5, 8}, false, true);
        const Case there = to_device(c, device);
        const Tensor output = test::replayed(device, [&] { return run(there).output; });
        CHECK(test::count_far(output, run(c).output, 1e-5F, 1e-5F) == 0);
      },
      1);
}

}  // namespace
}  // namespace mrcnn
