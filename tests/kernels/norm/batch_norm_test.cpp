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
#include "tests/kernels/norm/batch_norm_case.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::batch_norm_case;
using test::BatchNormCase;
using test::BatchNormResult;
using test::check_batch_norm_on_gpu;
using test::random_tensor;
using test::run_batch_norm;
using test::to_device;

TEST_CASE("Rejects inputs that do not fit") {
  const BatchNormCase good = batch_norm_case<float>({2, 3, 4, 5}, false, false);
  const auto call = [](const BatchNormCase& c) {
    return batch_norm(c.input, c.weight, c.bias, c.running, c.residual, c.params, c.labels);
  };
  BatchNormCase bad = good;
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
  bad = good;
  bad.labels = Tensor::zeros({3}, DType::kI32);
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("one per row"), ShapeError);
  bad.labels = Tensor::zeros({2}, DType::kI32);
  bad.residual = good.input;
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("without a residual"), ShapeError);
  bad.labels = Tensor::zeros({2});
  CHECK_THROWS_WITH_AS(call(bad), doctest::Contains("labels must be i32"), DTypeError);
}

TEST_CASE("Rejects a single pixel, which has no variance") {
  CHECK_THROWS_WITH_AS(run_batch_norm(batch_norm_case<float>({1, 1, 1, 5}, false, false)),
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
    const BatchNormCase c{.input = in_step("input"),
                          .weight = at("weight"),
                          .bias = at("bias"),
                          .running = running,
                          .residual = fused ? in_step("residual") : Tensor{},
                          .grad = in_step("grad_output"),
                          .params = {.relu = fused}};
    const BatchNormResult result = run_batch_norm(to_device(c, device));
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
  BatchNormCase c = batch_norm_case<float>({2, input.size(-1)}, false, false);
  c.input = input;
  c.grad = Tensor::zeros(input.shape());
  c.params.momentum = 1;
  const BatchNormRunning running = run_batch_norm(c).running;
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
      const BatchNormCase c = batch_norm_case<double>(shape, true, relu);
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
  const BatchNormCase c = batch_norm_case<float>({2, 3, 4, 5}, true, true);
  const BatchNormResult all = run_batch_norm(c);
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
  const BatchNormCase c = batch_norm_case<float>({3, 37, 41, 20}, true, true);
  const int threads = num_threads();
  set_num_threads(1);
  const BatchNormResult one = run_batch_norm(c);
  set_num_threads(4);
  const BatchNormResult four = run_batch_norm(c);
  set_num_threads(threads);
  CHECK(test::count_different_bits(four.output, one.output) == 0);
  CHECK(test::count_different_bits(four.running.var, one.running.var) == 0);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(test::count_different_bits(four.grads[i], one.grads[i]) == 0);
  }
}

TEST_CASE("Edges: no pixels, no channels, equal values, NaN") {
  for (const Shape& shape : {Shape{0, 4, 4, 3}, Shape{2, 4, 4, 0}}) {
    const BatchNormCase c = batch_norm_case<float>(shape, true, true);
    const BatchNormResult empty = run_batch_norm(c);
    CHECK(empty.output.shape() == shape);
    CHECK(test::count_different_bits(empty.running.mean, c.running.mean) == 0);
    CHECK(test::count_different_bits(empty.running.var, c.running.var) == 0);
    CHECK(empty.grads[0].shape() == shape);
    CHECK(test::count_different_bits(empty.grads[1], Tensor::zeros({shape[-1]})) == 0);
    CHECK(test::count_different_bits(empty.grads[2], Tensor::zeros({shape[-1]})) == 0);
  }
  BatchNormCase c = batch_norm_case<float>({3, 3, 2}, false, false);
  // No deviation: the bias is all that is left. 1e-3: 3 / sqrt(eps), which the shift takes away
  // again, is rounded in steps of 1e-4.
  fill_(c.input, 3);
  const BatchNormResult equal = run_batch_norm(c);
  for (int64_t i = 0; i < c.input.numel(); ++i) {
    CHECK(equal.output.data<const float>()[i] ==
          doctest::Approx(c.bias.data<const float>()[i % 2]).epsilon(1e-3));
  }
  c.params.relu = true;
  c.input.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const BatchNormResult poisoned = run_batch_norm(c);
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

TEST_CASE("CUDA gradients match the CPU's at pack, tile and chunk edges") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 31, 33, 72}) {
      check_batch_norm_on_gpu(batch_norm_case<float>({1, 3, 3, channels}, true, true), device);
    }
    check_batch_norm_on_gpu(batch_norm_case<float>({129, 8}, false, false), device);
    check_batch_norm_on_gpu(batch_norm_case<float>({2, 1}, false, false), device);
    check_batch_norm_on_gpu(batch_norm_case<float>({0, 5, 7, 12}, true, true), device);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda(
      [](Device device) {
        const BatchNormCase c = batch_norm_case<float>({5, 8}, false, true);
        const BatchNormCase there = to_device(c, device);
        const Tensor output = test::replayed(device, [&] { return run_batch_norm(there).output; });
        CHECK(test::count_far(output, run_batch_norm(c).output, 1e-5F, 1e-5F) == 0);
      },
      1);
}

}  // namespace
}  // namespace mrcnn
