#include "kernels/linalg/linear.h"

#include <doctest/doctest.h>

#include <cstring>
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

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor input = random_tensor({3, 4}, 1);
  const Tensor weight = random_tensor({5, 4}, 2);
  CHECK_THROWS_WITH_AS(linear(random_tensor({3, 5}, 1), weight, {}),
                       doctest::Contains("[linear] input must be [R,4]"), ShapeError);
  CHECK_THROWS_AS(linear(random_tensor({3, 2, 2}, 1), weight, {}), ShapeError);
  CHECK_THROWS_WITH_AS(linear(input, random_tensor({5, 2, 2}, 2), {}), doctest::Contains("[O,I]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(linear(input, weight, random_tensor({4}, 2)), doctest::Contains("5 outputs"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(linear(to_f64(input), weight, {}),
                       doctest::Contains("weight is f32 but input is"), DTypeError);
  CHECK_THROWS_AS(linear(input, weight, random_tensor<double>({5}, 2)), DTypeError);
  CHECK_THROWS_AS(PreparedLinear(to_f64(weight), {}), DTypeError);
  CHECK_THROWS_WITH_AS(PreparedLinear(weight, {}).run_into(input, Tensor::empty({3, 4})),
                       doctest::Contains("output must be f32 [3,5]"), ShapeError);
}

TEST_CASE("The plain f64 loop gives a product computed by hand") {
  const Tensor input = Tensor::from<double>(std::vector<double>{1, 2, 3, 4}, {2, 2});
  const Tensor weight = Tensor::from<double>(std::vector<double>{5, 6, -7, -8}, {2, 2});
  const Tensor bias = Tensor::from<double>(std::vector<double>{0.5, 1}, {2});
  const std::vector<double> expected{17.5, -22, 39.5, -52};
  const Tensor output = linear(input, weight, bias);
  CHECK(std::vector<double>(output.span<double>().begin(), output.span<double>().end()) ==
        expected);
  CHECK(linear(input, weight, bias, {.relu = true}).data<const double>()[1] == 0);
}

TEST_CASE("The f32 product matches the f64 loop for any number of rows") {
  for (const bool relu : {false, true}) {
    const Tensor weight = random_tensor({37, 50}, 1), bias = random_tensor({37}, 2);
    const PreparedLinear prepared(weight, bias, {.relu = relu});
    for (const int64_t rows : {1, 2, 3, 31, 64, 255, 256, 257, 1000}) {
      CAPTURE(rows);
      const Tensor input = random_tensor({rows, 50}, 3);
      const Tensor expected = linear(to_f64(input), to_f64(weight), to_f64(bias), {.relu = relu});
      CHECK(deviation(prepared.run(input), expected).max < 1e-5);
    }
    CHECK(prepared.flops(3) == 2 * 3 * 37 * 50);
  }
  const Tensor weight = random_tensor({20, 300}, 1), input = random_tensor({7, 300}, 2);
  CHECK(deviation(linear(input, weight, {}), linear(to_f64(input), to_f64(weight), {})).max < 1e-5);
}

TEST_CASE("Gradients match finite differences") {
  for (const bool relu : {false, true}) {
    // Sums of five products of order 1: none lies within 1e-5 of the ReLU's kink for this seed.
    test::check_gradients(
        [&](const std::vector<Tensor>& x) { return linear(x[0], x[1], x[2], {.relu = relu}); },
        {random_tensor<double>({7, 5}, 1), random_tensor<double>({3, 5}, 2),
         random_tensor<double>({3}, 3)});
  }
  test::check_gradients([](const std::vector<Tensor>& x) { return linear(x[0], x[1], {}); },
                        {random_tensor<double>({1, 9}, 4), random_tensor<double>({33, 9}, 5)});
}

// The gradients of a linear layer's input, weight and bias.
std::vector<Tensor> gradients(const Tensor& input, const Tensor& weight, const Tensor& bias,
                              const Tensor& grad_output) {
  std::vector<Tensor> leaves{input.detach(), weight.detach(), bias.detach()};
  for (Tensor& leaf : leaves) leaf.require_grad();
  backward_from(linear(leaves[0], leaves[1], leaves[2], {.relu = true}), grad_output);
  return {leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

TEST_CASE("The f32 gradients match those in f64") {
  for (const int64_t rows : {1, 3, 64, 513}) {
    CAPTURE(rows);
    const Tensor input = random_tensor({rows, 70}, 1), weight = random_tensor({37, 70}, 2);
    const Tensor bias = random_tensor({37}, 3), grad = random_tensor({rows, 37}, 4);
    const auto f32 = gradients(input, weight, bias, grad);
    const auto f64 = gradients(to_f64(input), to_f64(weight), to_f64(bias), to_f64(grad));
    for (size_t i = 0; i < f32.size(); ++i) CHECK(deviation(f32[i], f64[i]).max < 1e-5);
  }
}

TEST_CASE("The number of threads does not change a bit of a gradient") {
  const Tensor input = random_tensor({300, 600}, 1), weight = random_tensor({96, 600}, 2);
  const Tensor bias = random_tensor({96}, 3), grad = random_tensor({300, 96}, 4);
  const int before = num_threads();
  set_num_threads(1);
  const auto expected = gradients(input, weight, bias, grad);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    const auto actual = gradients(input, weight, bias, grad);
    for (size_t i = 0; i < actual.size(); ++i) {
      CHECK(test::count_different_bits(actual[i], expected[i]) == 0);
    }
  }
  set_num_threads(before);
}

TEST_CASE("Only the gradients that are asked for are computed") {
  Tensor weight = random_tensor({3, 4}, 2);
  weight.require_grad();
  const Tensor input = random_tensor({2, 4}, 1), bias = random_tensor({3}, 3);
  const Tensor output = linear(input, weight, bias);
  backward_from(output, random_tensor({2, 3}, 4));
  CHECK(weight.grad().shape() == Shape{3, 4});
  CHECK_FALSE(input.grad().defined());
  CHECK_FALSE(linear(input, weight.detach(), bias).requires_grad());
}

TEST_CASE("Edges: no rows give zero gradients") {
  const auto grads = gradients(Tensor::empty({0, 4}), random_tensor({5, 4}, 2),
                               random_tensor({5}, 3), Tensor::empty({0, 5}));
  CHECK(grads[0].shape() == Shape{0, 4});
  for (const float value : grads[1].span<const float>()) CHECK(value == 0.0F);
  for (const float value : grads[2].span<const float>()) CHECK(value == 0.0F);
}

TEST_CASE("Edges: no rows") {
  CHECK(linear(Tensor::empty({0, 4}), random_tensor({5, 4}, 2), {}).shape() == Shape{0, 5});
}

TEST_CASE("The number of threads does not change a bit, however long the sums") {
  const Tensor input = random_tensor({100, 6000}, 1);
  const Tensor weight = random_tensor({96, 6000}, 2);
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    results.push_back(PreparedLinear(weight, {}, {.relu = true}).run(input));
  }
  set_num_threads(before);
  for (const Tensor& result : results) {
    CHECK(std::memcmp(result.raw(), results[0].raw(), static_cast<size_t>(result.bytes())) == 0);
  }
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    const Tensor weight = random_tensor({33, 40}, 2), bias = random_tensor({33}, 3);
    for (const int64_t rows : {0, 1, 65}) {
      CAPTURE(rows);
      const Tensor input = random_tensor({rows, 40}, 1), grad = random_tensor({rows, 33}, 4);
      const auto expected = gradients(input, weight, bias, grad);
      const auto f32 = gradients(copy_to(input, device), copy_to(weight, device),
                                 copy_to(bias, device), copy_to(grad, device));
      for (size_t i = 0; i < f32.size(); ++i) {
        CHECK(count_far(f32[i], expected[i], 1e-5F, 1e-5F) == 0);
      }
      const auto bf16 = [&](const Tensor& tensor) {
        return copy_to(cast(tensor, DType::kBF16), device);
      };
      const auto half = gradients(bf16(input), bf16(weight), copy_to(bias, device), bf16(grad));
      CHECK(half[1].dtype() == DType::kBF16);
      CHECK(half[2].dtype() == DType::kF32);
      const auto rounded =
          gradients(rounded_to_bf16(input), rounded_to_bf16(weight), bias, rounded_to_bf16(grad));
      for (size_t i = 0; i < half.size(); ++i) {
        CHECK(count_far(half[i], rounded[i], test::kBf16Rounding, 1e-5F) == 0);
      }
    }
  });
}

TEST_CASE("CUDA matches the CPU") {
  test::on_cuda([](Device device) {
    const Tensor weight = random_tensor({33, 40}, 2), bias = random_tensor({33}, 3);
    for (const int64_t rows : {0, 1, 31, 65}) {
      const Tensor input = random_tensor({rows, 40}, 1);
      const Tensor output = linear(copy_to(input, device), copy_to(weight, device),
                                   copy_to(bias, device), {.relu = true});
      REQUIRE(output.shape() == Shape{rows, 33});
      if (rows == 0) continue;
      const Tensor expected = linear(to_f64(input), to_f64(weight), to_f64(bias), {.relu = true});
      CHECK(deviation(copy_to(output, Device{}), expected).max < 1e-5);

      const Tensor rounded = linear(copy_to(cast(input, DType::kBF16), device),
                                    copy_to(cast(weight, DType::kBF16), device), {});
      CHECK(rounded.dtype() == DType::kBF16);
      const Tensor exact = linear(test::rounded_to_bf16(input), test::rounded_to_bf16(weight), {});
      CHECK(test::count_far(rounded, exact, test::kBf16Rounding, 1e-5F) == 0);
    }
    const Tensor elsewhere = random_tensor({2, 40}, 1);
    CHECK_THROWS_WITH_AS(PreparedLinear(copy_to(weight, device), {}).run(elsewhere),
                         doctest::Contains("the weight is on cuda:0"), DeviceError);
  });
}

}  // namespace
}  // namespace mrcnn
