#include "kernels/conv/class_conv.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/parallel.h"
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

Tensor label_tensor(const std::vector<int32_t>& labels) {
  return Tensor::from<int32_t>(labels, {static_cast<int64_t>(labels.size())});
}

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor input = random_tensor({2, 3, 3, 4}, 1), weight = random_tensor({5, 1, 1, 4}, 2);
  const Tensor bias = random_tensor({5}, 3), labels = label_tensor({1, 2});
  CHECK_THROWS_WITH_AS(class_conv(random_tensor({2, 3, 4}, 1), weight, bias, labels),
                       doctest::Contains("[class_conv] input must be [R,H,W,C]"), ShapeError);
  CHECK_THROWS_WITH_AS(class_conv(input, random_tensor({5, 1, 1, 3}, 2), bias, labels),
                       doctest::Contains("[K,1,1,4]"), ShapeError);
  CHECK_THROWS_AS(class_conv(input, random_tensor({5, 4}, 2), bias, labels), ShapeError);
  CHECK_THROWS_WITH_AS(class_conv(input, weight, random_tensor({4}, 3), labels),
                       doctest::Contains("5 classes"), ShapeError);
  CHECK_THROWS_WITH_AS(class_conv(input, weight, bias, label_tensor({1})),
                       doctest::Contains("labels must be [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(class_conv(input, weight, bias, cast(labels, DType::kI64)),
                       doctest::Contains("labels must be i32"), DTypeError);
  CHECK_THROWS_AS(class_conv(to_f64(input), weight, bias, labels), DTypeError);
  CHECK_THROWS_AS(class_conv(input, weight, to_f64(bias), labels), DTypeError);
}

TEST_CASE("Each RoI is convolved with its own class, computed by hand") {
  const Tensor input = Tensor::from<double>(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 1, 1, 2});
  const Tensor weight = Tensor::from<double>(std::vector<double>{1, 10, 100, 1000}, {2, 1, 1, 2});
  const Tensor bias = Tensor::from<double>(std::vector<double>{0.5, 0.25}, {2});
  const Tensor output = class_conv(input, weight, bias, label_tensor({1, -1, 0}));
  REQUIRE(output.shape() == Shape{3, 1, 1});
  const std::vector<double> expected{2100.25, 0, 65.5};
  CHECK(std::vector<double>(output.span<double>().begin(), output.span<double>().end()) ==
        expected);
}

TEST_CASE("Gradients match finite differences") {
  const Tensor labels = label_tensor({2, 0, -1, 2, 7});
  test::check_gradients(
      [&](const std::vector<Tensor>& x) { return class_conv(x[0], x[1], x[2], labels); },
      {random_tensor<double>({5, 3, 2, 7}, 1), random_tensor<double>({4, 1, 1, 7}, 2),
       random_tensor<double>({4}, 3)});
  test::check_gradients(
      [&](const std::vector<Tensor>& x) { return class_conv(x[0], x[1], {}, labels); },
      {random_tensor<double>({5, 1, 1, 3}, 4), random_tensor<double>({3, 1, 1, 3}, 5)});
}

struct Case {
  Shape input;
  int64_t classes;
  std::vector<int32_t> labels;
};
const std::vector<Case> kCases{{{4, 7, 10, 16}, 5, {4, 0, -1, 4}},
                               {{3, 8, 8, 5}, 2, {1, 1, 1}},
                               {{2, 1, 1, 260}, 3, {3, -7}},  // none is used
                               {{0, 4, 4, 8}, 3, {}}};

// The output and the gradients of input, weight and bias, for values that fit bf16.
std::vector<Tensor> results(const Case& c, DType dtype, Device device) {
  std::vector<Tensor> leaves{random_tensor(c.input, 1),
                             random_tensor({c.classes, 1, 1, c.input[3]}, 2),
                             random_tensor({c.classes}, 3)};
  for (Tensor& leaf : leaves) {
    const bool keeps_f32 = dtype == DType::kBF16 && &leaf == &leaves[2];
    leaf = copy_to(cast(rounded_to_bf16(leaf), keeps_f32 ? DType::kF32 : dtype), device);
    leaf.require_grad();
  }
  const Tensor labels = copy_to(label_tensor(c.labels), device);
  const Tensor output = class_conv(leaves[0], leaves[1], leaves[2], labels);
  const Tensor grad = rounded_to_bf16(random_tensor(output.shape(), 4));
  backward_from(output, copy_to(cast(grad, dtype), device));
  return {output.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

TEST_CASE("f32 matches the f64 loops") {
  for (const Case& c : kCases) {
    CAPTURE(c.input.to_string());
    const auto f32 = results(c, DType::kF32, {}), f64 = results(c, DType::kF64, {});
    for (size_t i = 0; i < f32.size(); ++i) CHECK(deviation(f32[i], f64[i]).max < 1e-5);
  }
}

TEST_CASE("Rows that are not used and classes that no row has give zeros") {
  const auto all = results(kCases[0], DType::kF32, {});
  const auto is_zero = [](const Tensor& tensor) {
    const auto values = tensor.span<const float>();
    return std::all_of(values.begin(), values.end(), [](float value) { return value == 0.0F; });
  };
  CHECK(is_zero(all[0].slice(2, 3)));
  CHECK(is_zero(all[1].slice(2, 3)));
  CHECK(is_zero(all[2].slice(1, 4)));
  CHECK(is_zero(all[3].slice(1, 4)));
  CHECK_FALSE(is_zero(all[2].slice(4, 5)));
  for (const Tensor& tensor : results(kCases[2], DType::kF32, {})) CHECK(is_zero(tensor));
}

TEST_CASE("The number of threads does not change a bit") {
  const int before = num_threads();
  set_num_threads(1);
  const auto expected = results(kCases[0], DType::kF32, {});
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    const auto actual = results(kCases[0], DType::kF32, {});
    for (size_t i = 0; i < actual.size(); ++i) {
      CHECK(test::count_different_bits(actual[i], expected[i]) == 0);
    }
  }
  set_num_threads(before);
}

TEST_CASE("CUDA output and gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const Case& c : kCases) {
      CAPTURE(c.input.to_string());
      const auto expected = results(c, DType::kF32, {});
      const auto f32 = results(c, DType::kF32, device), bf16 = results(c, DType::kBF16, device);
      CHECK(bf16[0].dtype() == DType::kBF16);
      for (size_t i = 0; i < expected.size(); ++i) {
        CHECK(count_far(f32[i], expected[i], 1e-5F, 1e-5F) == 0);
        CHECK(count_far(bf16[i], expected[i], test::kBf16Rounding, 1e-5F) == 0);
      }
    }
  });
}

}  // namespace
}  // namespace mrcnn
