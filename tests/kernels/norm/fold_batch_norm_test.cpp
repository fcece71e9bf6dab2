#include "kernels/norm/fold_batch_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/parallel.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

template <typename T>
BatchNormConstants random_constants(int64_t channels, double eps) {
  return {.weight = random_tensor<T>({channels}, 1, 0.5, 2),
          .bias = random_tensor<T>({channels}, 2),
          .running_mean = random_tensor<T>({channels}, 3),
          .running_var = random_tensor<T>({channels}, 4, 0.1, 3),
          .eps = eps};
}

struct Convolution {
  Tensor weight;  // [O, KH, KW, I] f64
  Tensor bias;    // [O] f64
};

// Valid 3x3 convolution of input [H, W, I], in double: one output pixel at (y, x) of channel o.
double convolved(const Tensor& input, const Convolution& conv, int64_t y, int64_t x, int64_t o) {
  const int64_t width = input.size(1), channels = input.size(2);
  double sum = conv.bias.data<const double>()[o];
  for (int64_t ky = 0; ky < 3; ++ky) {
    for (int64_t kx = 0; kx < 3; ++kx) {
      for (int64_t i = 0; i < channels; ++i) {
        sum += input.data<const double>()[((y + ky) * width + x + kx) * channels + i] *
               conv.weight.data<const double>()[((o * 3 + ky) * 3 + kx) * channels + i];
      }
    }
  }
  return sum;
}

double batch_norm_reference(double value, const BatchNormConstants& bn, int64_t channel) {
  const double mean = bn.running_mean.data<const double>()[channel];
  const double var = bn.running_var.data<const double>()[channel];
  return (value - mean) / std::sqrt(var + bn.eps) * bn.weight.data<const double>()[channel] +
         bn.bias.data<const double>()[channel];
}

TEST_CASE("Rejects tensors that do not fit the convolution") {
  const Tensor weight = random_tensor({4, 3, 3, 2}, 5);
  const BatchNormConstants bn = random_constants<float>(4, 1e-5);
  CHECK_THROWS_WITH_AS(fold_batch_norm(Tensor{}, {}, bn), doctest::Contains("conv_weight"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, random_tensor({3}, 6), bn),
                       doctest::Contains("conv_bias must be [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, random_tensor<double>({4}, 6), bn),
                       doctest::Contains("differ in type"), DTypeError);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, {}, random_constants<float>(5, 1e-5)),
                       doctest::Contains("batch norm weight must be [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, {}, random_constants<float>(4, -1)),
                       doctest::Contains("eps -1"), UsageError);
  CHECK_THROWS_AS(fold_batch_norm(Tensor::zeros({4, 2}, DType::kI32), {}, bn), DTypeError);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, {}, bn, DType::kBF16),
                       doctest::Contains("cannot be bf16"), DTypeError);
  BatchNormConstants mixed = bn;
  mixed.running_var = random_tensor<double>({4}, 4, 0.1, 3);
  CHECK_THROWS_WITH_AS(fold_batch_norm(weight, {}, mixed), doctest::Contains("running_var"),
                       DTypeError);
}

TEST_CASE("A folded convolution equals convolution and batch norm to rounding") {
  const Tensor input = random_tensor<double>({5, 6, 7}, 10);
  const Convolution plain{.weight = random_tensor<double>({8, 3, 3, 7}, 11),
                          .bias = random_tensor<double>({8}, 12)};
  for (const double eps : {0.0, 1e-5, 1e-3}) {
    const BatchNormConstants bn = random_constants<double>(8, eps);
    const FoldedConv folded = fold_batch_norm(plain.weight, plain.bias, bn);
    const Convolution fused{.weight = folded.weight, .bias = folded.bias};
    for (int64_t o = 0; o < 8; ++o) {
      for (int64_t y = 0; y < 3; ++y) {
        for (int64_t x = 0; x < 4; ++x) {
          const double expected = batch_norm_reference(convolved(input, plain, y, x, o), bn, o);
          CHECK(convolved(input, fused, y, x, o) == doctest::Approx(expected).epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("f32 results are the double results rounded once") {
  const Tensor weight = random_tensor({6, 1, 1, 33}, 20);
  const BatchNormConstants bn = random_constants<float>(6, 1e-5);
  const FoldedConv folded = fold_batch_norm(weight, {}, bn);
  REQUIRE(folded.weight.shape() == weight.shape());
  REQUIRE(folded.bias.shape() == Shape{6});
  for (int64_t o = 0; o < 6; ++o) {
    const double scale =
        static_cast<double>(bn.weight.data<const float>()[o]) /
        std::sqrt(static_cast<double>(bn.running_var.data<const float>()[o]) + 1e-5);
    const double shift = static_cast<double>(bn.bias.data<const float>()[o]) -
                         static_cast<double>(bn.running_mean.data<const float>()[o]) * scale;
    CHECK(folded.bias.data<const float>()[o] == static_cast<float>(shift));
    for (int64_t i = 0; i < 33; ++i) {
      const double product = static_cast<double>(weight.data<const float>()[o * 33 + i]) * scale;
      CHECK(folded.weight.data<const float>()[o * 33 + i] == static_cast<float>(product));
    }
  }
}

TEST_CASE("Gradients match finite differences, and the batch norm gets none") {
  BatchNormConstants bn = random_constants<double>(5, 1e-5);
  bn.weight.require_grad();
  const Tensor weight = random_tensor<double>({5, 3, 1, 2}, 5);
  test::check_gradients(
      [&](const std::vector<Tensor>& x) { return fold_batch_norm(x[0], {}, bn).weight; }, {weight});
  test::check_gradients(
      [&](const std::vector<Tensor>& x) { return fold_batch_norm(weight, x[0], bn).bias; },
      {random_tensor<double>({5}, 6)});
  CHECK_FALSE(bn.weight.grad().defined());
}

TEST_CASE("The number of threads does not change a bit") {
  const Tensor weight = random_tensor({70, 3, 3, 40}, 5);
  const BatchNormConstants bn = random_constants<float>(70, 1e-5);
  const int before = num_threads();
  set_num_threads(1);
  const Tensor expected = fold_batch_norm(weight, {}, bn).weight;
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(test::count_different_bits(fold_batch_norm(weight, {}, bn).weight, expected) == 0);
  }
  set_num_threads(before);
}

BatchNormConstants copy_constants(const BatchNormConstants& bn, Device device) {
  return {.weight = copy_to(bn.weight, device),
          .bias = copy_to(bn.bias, device),
          .running_mean = copy_to(bn.running_mean, device),
          .running_var = copy_to(bn.running_var, device),
          .eps = bn.eps};
}

TEST_CASE("CUDA gives the CPU's bits, folded and backwards") {
  test::on_cuda([](Device device) {
    for (const Shape& shape : {Shape{3, 1, 1, 5}, Shape{2, 3, 3, 240}, Shape{66, 1}, Shape{0, 3}}) {
      CAPTURE(shape.to_string());
      const int64_t channels = shape[0];
      const BatchNormConstants bn = random_constants<float>(channels, 1e-5);
      const BatchNormConstants device_bn = copy_constants(bn, device);
      Tensor weight = random_tensor(shape, 5), bias = random_tensor({channels}, 6);
      Tensor device_weight = copy_to(weight, device), device_bias = copy_to(bias, device);
      for (Tensor* leaf : {&weight, &bias, &device_weight, &device_bias}) leaf->require_grad();
      const FoldedConv expected = fold_batch_norm(weight, bias, bn);
      const FoldedConv folded = fold_batch_norm(device_weight, device_bias, device_bn);
      const FoldedConv half = fold_batch_norm(device_weight, {}, device_bn, DType::kBF16);
      CHECK(test::count_different_bits(folded.weight, expected.weight) == 0);
      CHECK(test::count_different_bits(folded.bias, expected.bias) == 0);
      CHECK(test::count_different_bits(half.weight, cast(expected.weight, DType::kBF16)) == 0);
      CHECK(test::count_different_bits(half.bias, fold_batch_norm(weight, {}, bn).bias) == 0);

      const Tensor grad = test::rounded_to_bf16(random_tensor(shape, 7));
      backward_from(expected.weight, grad);
      backward_from(expected.bias, bias.detach());
      backward_from(folded.weight, copy_to(grad, device));
      backward_from(folded.bias, device_bias.detach());
      CHECK(test::count_different_bits(device_weight.grad(), weight.grad()) == 0);
      CHECK(test::count_different_bits(device_bias.grad(), bias.grad()) == 0);
      device_weight.clear_grad();
      backward_from(half.weight, copy_to(cast(grad, DType::kBF16), device));
      CHECK(test::count_different_bits(device_weight.grad(), weight.grad()) == 0);
    }
    const Tensor weight = copy_to(random_tensor({3, 2}, 5), device);
    CHECK_THROWS_AS(fold_batch_norm(weight, {}, random_constants<float>(3, 1e-5)), DeviceError);
    CHECK_THROWS_WITH_AS(
        fold_batch_norm(weight, {}, copy_constants(random_constants<double>(3, 1e-5), device)),
        doctest::Contains("must be f32 on a GPU"), DTypeError);
  });
}

TEST_CASE("Edges: eps 0 with a zero variance gives infinities, as the reference does") {
  const Tensor weight = Tensor::from<float>(std::vector<float>{1, -2, 0, 1, 1, 1}, {2, 3});
  BatchNormConstants bn = random_constants<float>(2, 0);
  bn.running_var = Tensor::from<float>(std::vector<float>{0, 1}, {2});
  const FoldedConv folded = fold_batch_norm(weight, {}, bn);
  const auto values = folded.weight.span<const float>();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(values[0] == infinity);
  CHECK(values[1] == -infinity);
  CHECK(std::isnan(values[2]));
  CHECK(std::isfinite(values[3]));
  CHECK(std::isfinite(folded.bias.data<const float>()[1]));

  bn.eps = 1e-5;
  for (const float value : fold_batch_norm(weight, {}, bn).weight.span<const float>()) {
    CHECK(std::isfinite(value));
  }
}

TEST_CASE("Edges: no output channels") {
  const FoldedConv folded =
      fold_batch_norm(Tensor::empty({0, 3, 3, 2}), {}, random_constants<float>(0, 1e-5));
  CHECK(folded.weight.shape() == Shape{0, 3, 3, 2});
  CHECK(folded.bias.shape() == Shape{0});
}

}  // namespace
}  // namespace mrcnn
