#include "kernels/conv/conv_transpose2d.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::count_far;
using test::deviation;
using test::random_tensor;
using test::rounded_to_bf16;
using test::to_f64;

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor input = random_tensor({1, 4, 4, 3}, 1);
  const Tensor weight = random_tensor({5, 2, 2, 3}, 2);
  CHECK_THROWS_WITH_AS(conv_transpose2d(random_tensor({1, 4, 4, 2}, 1), weight, {}),
                       doctest::Contains("[conv_transpose2d] input must be [N,H,W,3]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(input, random_tensor({5, 3}, 2), {}),
                       doctest::Contains("[O,KH,KW,C]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(input, weight, random_tensor({4}, 2)),
                       doctest::Contains("5 outputs"), ShapeError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(to_f64(input), weight, {}),
                       doctest::Contains("weight is f32 but input is"), DTypeError);
  CHECK_THROWS_AS(conv_transpose2d(input, weight, random_tensor<double>({5}, 2)), DTypeError);
  CHECK_THROWS_AS(conv_transpose2d(Tensor::zeros({1, 4, 4, 3}, DType::kI32),
                                   Tensor::zeros({5, 2, 2, 3}, DType::kI32), {}),
                  DTypeError);
}

TEST_CASE("Each pixel fills its own block, computed by hand") {
  const Tensor input = Tensor::from<double>(std::vector<double>{1, 10}, {1, 1, 2, 1});
  const Tensor weight = Tensor::from<double>(std::vector<double>{1, 2, 3, -4}, {1, 2, 2, 1});
  const Tensor bias = Tensor::from<double>(std::vector<double>{0.5}, {1});
  const Tensor output = conv_transpose2d(input, weight, bias, {.relu = true});
  REQUIRE(output.shape() == Shape{1, 2, 4, 1});
  const std::vector<double> expected{1.5, 2.5, 10.5, 20.5, 3.5, 0, 30.5, 0};
  CHECK(std::vector<double>(output.span<double>().begin(), output.span<double>().end()) ==
        expected);
}

TEST_CASE("The f32 product and shuffle match the f64 loop") {
  struct Case {
    Shape input, weight;
    bool bias, relu;
  };
  const std::vector<Case> cases{{{3, 14, 14, 32}, {16, 2, 2, 32}, true, true},
                                {{2, 5, 7, 3}, {4, 3, 2, 3}, false, false},
                                {{1, 40, 41, 8}, {5, 2, 2, 8}, true, false},  // more than a block
                                {{1, 1, 1, 1}, {1, 1, 1, 1}, true, false}};
  for (const Case& c : cases) {
    CAPTURE(c.input.to_string());
    const Tensor input = random_tensor(c.input, 1), weight = random_tensor(c.weight, 2);
    const Tensor bias = c.bias ? random_tensor({c.weight[0]}, 3) : Tensor{};
    const Tensor expected =
        conv_transpose2d(to_f64(input), to_f64(weight), to_f64(bias), {.relu = c.relu});
    CHECK(deviation(conv_transpose2d(input, weight, bias, {.relu = c.relu}), expected).max < 1e-5);
  }
}

TEST_CASE("CUDA matches the f64 loop in f32 and bf16") {
  struct Case {
    Shape input, weight;
    bool bias, relu;
  };
  // Outputs of a row of the kernel: 16-byte words, 4-byte words, 2-byte words in bf16.
  const std::vector<Case> cases{{{2, 3, 5, 8}, {8, 2, 2, 8}, true, true},
                                {{1, 5, 2, 3}, {2, 3, 1, 3}, false, false},
                                {{3, 1, 3, 4}, {1, 2, 3, 4}, true, false},
                                {{0, 4, 6, 3}, {5, 2, 2, 3}, true, true}};
  test::on_cuda([&](Device device) {
    for (const Case& c : cases) {
      CAPTURE(c.input.to_string());
      const Tensor input = random_tensor(c.input, 1), weight = random_tensor(c.weight, 2);
      const Tensor bias = c.bias ? random_tensor({c.weight[0]}, 3) : Tensor{};
      const LinearParams params{.relu = c.relu};
      const Tensor device_bias = c.bias ? copy_to(bias, device) : Tensor{};
      const Tensor f32 =
          conv_transpose2d(copy_to(input, device), copy_to(weight, device), device_bias, params);
      const Tensor expected = conv_transpose2d(to_f64(input), to_f64(weight), to_f64(bias), params);
      CHECK(deviation(copy_to(f32, Device{}), expected).max < 1e-5);

      const Tensor bf16 =
          conv_transpose2d(copy_to(cast(input, DType::kBF16), device),
                           copy_to(cast(weight, DType::kBF16), device), device_bias, params);
      REQUIRE(bf16.dtype() == DType::kBF16);
      const Tensor rounded = conv_transpose2d(
          to_f64(rounded_to_bf16(input)), to_f64(rounded_to_bf16(weight)), to_f64(bias), params);
      CHECK(count_far(bf16, cast(rounded, DType::kF32), test::kBf16Rounding, 1e-6F) == 0);
    }
  });
}

TEST_CASE("CUDA refuses f64 and tensors of two devices") {
  test::on_cuda([](Device device) {
    const Tensor weight = random_tensor({5, 2, 2, 3}, 2), input = random_tensor({1, 4, 4, 3}, 1);
    CHECK_THROWS_AS(conv_transpose2d(input, copy_to(weight, device), {}), DeviceError);
    CHECK_THROWS_AS(
        conv_transpose2d(copy_to(to_f64(input), device), copy_to(to_f64(weight), device), {}),
        DTypeError);
  });
}

TEST_CASE("Gradients match finite differences") {
  for (const bool relu : {false, true}) {
    test::check_gradients(
        [&](const std::vector<Tensor>& x) {
          return conv_transpose2d(x[0], x[1], x[2], {.relu = relu});
        },
        {random_tensor<double>({2, 3, 5, 4}, 1), random_tensor<double>({3, 2, 2, 4}, 2),
         random_tensor<double>({3}, 3)});
  }
  test::check_gradients(
      [](const std::vector<Tensor>& x) { return conv_transpose2d(x[0], x[1], {}); },
      {random_tensor<double>({1, 2, 3, 1}, 4), random_tensor<double>({5, 3, 2, 1}, 5)});
}

struct GradientCase {
  Shape input, weight;
  bool relu;
};
const std::vector<GradientCase> kGradientCases{{{3, 7, 5, 8}, {8, 2, 2, 8}, true},
                                               {{1, 5, 2, 3}, {2, 3, 1, 3}, false},
                                               {{2, 1, 3, 4}, {1, 2, 3, 4}, true},
                                               {{0, 4, 6, 3}, {5, 2, 2, 3}, true}};

// The gradients of input, weight and bias; the output's gradient is random. All values fit bf16.
std::vector<Tensor> gradients(const GradientCase& c, DType dtype, Device device) {
  const bool is_bf16 = dtype == DType::kBF16;
  std::vector<Tensor> leaves{rounded_to_bf16(random_tensor(c.input, 1)),
                             rounded_to_bf16(random_tensor(c.weight, 2)),
                             rounded_to_bf16(random_tensor({c.weight[0]}, 3))};
  for (Tensor& leaf : leaves) {
    const bool is_bias = &leaf == &leaves[2];
    leaf = copy_to(cast(leaf, is_bf16 && is_bias ? DType::kF32 : dtype), device);
    leaf.require_grad();
  }
  const Tensor output = conv_transpose2d(leaves[0], leaves[1], leaves[2], {.relu = c.relu});
  const Tensor grad = rounded_to_bf16(random_tensor(output.shape(), 4));
  backward_from(output, copy_to(cast(grad, dtype), device));
  return {leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

TEST_CASE("The f32 gradients match those in f64") {
  for (const GradientCase& c : kGradientCases) {
    CAPTURE(c.input.to_string());
    const auto f32 = gradients(c, DType::kF32, {}), f64 = gradients(c, DType::kF64, {});
    for (size_t i = 0; i < f32.size(); ++i) CHECK(deviation(f32[i], f64[i]).max < 1e-5);
  }
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const GradientCase& c : kGradientCases) {
      CAPTURE(c.input.to_string());
      const auto expected = gradients(c, DType::kF32, {});
      const auto f32 = gradients(c, DType::kF32, device);
      for (size_t i = 0; i < f32.size(); ++i) {
        CHECK(count_far(f32[i], expected[i], 1e-5F, 1e-5F) == 0);
      }
      const auto bf16 = gradients(c, DType::kBF16, device);
      for (size_t i = 0; i < bf16.size(); ++i) {
        CHECK(count_far(bf16[i], expected[i], test::kBf16Rounding, 1e-5F) == 0);
      }
    }
  });
}

TEST_CASE("Edges: no images") {
  const Tensor weight = random_tensor({5, 2, 2, 3}, 2);
  CHECK(conv_transpose2d(Tensor::empty({0, 4, 6, 3}), weight, {}).shape() == Shape{0, 8, 12, 5});
}

}  // namespace
}  // namespace mrcnn
