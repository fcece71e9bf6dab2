#include "kernels/norm/frozen_batch_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "kernels/conv/conv2d.h"
#include "kernels/norm/fold_batch_norm.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

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

// Element i of the definition, in double.
template <typename T>
double expected(const Tensor& input, const BatchNormConstants& bn,
                const FrozenBatchNormParams& params, int64_t i) {
  const int64_t c = i % input.size(-1);
  const auto at = [](const Tensor& tensor, int64_t index) {
    return static_cast<double>(tensor.data<const T>()[index]);
  };
  double value = (at(input, i) - at(bn.running_mean, c)) /
                     std::sqrt(at(bn.running_var, c) + bn.eps) * at(bn.weight, c) +
                 at(bn.bias, c);
  if (params.residual.defined()) value += at(params.residual, i);
  return params.relu ? std::max(0.0, value) : value;
}

// 4e-6: three roundings of numbers below 16.
template <typename T>
void check_against_definition(const Shape& shape, double tolerance) {
  CAPTURE(shape.to_string());
  const Tensor input = random_tensor<T>(shape, 7, -2, 2);
  const BatchNormConstants bn = random_constants<T>(shape[-1], 1e-5);
  for (const Tensor& residual : {Tensor{}, random_tensor<T>(shape, 8)}) {
    for (const bool relu : {false, true}) {
      const FrozenBatchNormParams params{.residual = residual, .relu = relu};
      const Tensor output = frozen_batch_norm(input, bn, params);
      REQUIRE(output.shape() == shape);
      double worst = 0;
      for (int64_t i = 0; i < input.numel(); ++i) {
        const double value = static_cast<double>(output.data<const T>()[i]);
        worst = std::max(worst, std::abs(value - expected<T>(input, bn, params, i)));
      }
      CHECK(worst <= tolerance);
    }
  }
}

TEST_CASE("Rejects inputs that do not fit") {
  const BatchNormConstants bn = random_constants<float>(3, 1e-5);
  CHECK_THROWS_WITH_AS(frozen_batch_norm(Tensor{}, bn), doctest::Contains("[..., C]"), ShapeError);
  CHECK_THROWS_WITH_AS(frozen_batch_norm(random_tensor({2, 4}, 1), bn),
                       doctest::Contains("must be [4]"), ShapeError);
  const Tensor input = random_tensor({2, 3}, 1);
  CHECK_THROWS_WITH_AS(frozen_batch_norm(input, bn, {.residual = random_tensor({3, 3}, 1)}),
                       doctest::Contains("differ in shape"), ShapeError);
  CHECK_THROWS_WITH_AS(frozen_batch_norm(input, bn, {.residual = random_tensor<double>({2, 3}, 1)}),
                       doctest::Contains("differ in type"), DTypeError);
  CHECK_THROWS_AS(frozen_batch_norm(Tensor::zeros({2, 3}, DType::kI64), bn), DTypeError);
}

TEST_CASE("Matches the definition, odd sizes, f32 and f64") {
  for (const int64_t channels : {1, 3, 31, 32, 33, 257}) {
    check_against_definition<float>({2, 3, 5, channels}, 4e-6);
    check_against_definition<double>({2, 3, 5, channels}, 1e-14);
  }
}

TEST_CASE("Agrees with folded weights of a 1x1 convolution") {
  // The identity convolution: folding must give the same map.
  const int64_t channels = 5;
  Tensor identity = Tensor::zeros({channels, 1, 1, channels});
  for (int64_t c = 0; c < channels; ++c) identity.data<float>()[c * channels + c] = 1;
  const BatchNormConstants bn = random_constants<float>(channels, 1e-5);
  const FoldedConv folded = fold_batch_norm(identity, {}, bn);
  const Tensor input = random_tensor({4, channels}, 9);
  const Tensor output = frozen_batch_norm(input, bn);
  for (int64_t i = 0; i < input.numel(); ++i) {
    const int64_t c = i % channels;
    const float value =
        input.data<const float>()[i] * folded.weight.data<const float>()[c * channels + c] +
        folded.bias.data<const float>()[c];
    CHECK(output.data<const float>()[i] == value);
  }
}

BatchNormConstants copy_to(const BatchNormConstants& bn, Device device) {
  return {.weight = mrcnn::copy_to(bn.weight, device),
          .bias = mrcnn::copy_to(bn.bias, device),
          .running_mean = mrcnn::copy_to(bn.running_mean, device),
          .running_var = mrcnn::copy_to(bn.running_var, device),
          .eps = bn.eps};
}

// With constants of the inputs' type on the inputs' device; a second input is the residual.
test::Op norm(bool relu) {
  return [relu](const std::vector<Tensor>& in) {
    const int64_t channels = in[0].size(-1);
    const BatchNormConstants bn = in[0].dtype() == DType::kF64
                                      ? random_constants<double>(channels, 1e-5)
                                      : random_constants<float>(channels, 1e-5);
    return frozen_batch_norm(in[0], copy_to(bn, in[0].device()),
                             {.residual = in.size() > 1 ? in[1] : Tensor{}, .relu = relu});
  };
}

TEST_CASE("Gradients match finite differences") {
  for (const bool relu : {false, true}) {
    const Tensor input = random_tensor<double>({2, 3, 5, 4}, 1);
    test::check_gradients(norm(relu), {input});
    test::check_gradients(norm(relu), {input, random_tensor<double>({2, 3, 5, 4}, 2)});
  }
}

TEST_CASE("Gives only the gradients that are asked for") {
  const BatchNormConstants bn = random_constants<float>(33, 1e-5);
  const Tensor grad = random_tensor({5, 33}, 3);
  for (const bool relu : {false, true}) {
    Tensor input = random_tensor({5, 33}, 1), residual = random_tensor({5, 33}, 2);
    const std::vector<Tensor> both = test::op_gradients(norm(relu), {input, residual}, grad);
    Tensor wanted = input.detach();
    wanted.require_grad();
    backward_from(frozen_batch_norm(wanted, bn, {.residual = residual, .relu = relu}), grad);
    CHECK(test::count_different_bits(wanted.grad(), both[0]) == 0);
    wanted = residual.detach();
    wanted.require_grad();
    backward_from(frozen_batch_norm(input, bn, {.residual = wanted, .relu = relu}), grad);
    CHECK(test::count_different_bits(wanted.grad(), both[1]) == 0);
  }
}

// A convolution, then this op, against the convolution with folded weights: in f64, so that only
// the order of a few additions differs.
TEST_CASE("Agrees with conv2d on folded weights, its gradients too") {
  const BatchNormConstants bn = random_constants<double>(4, 1e-5);
  const Tensor weight = random_tensor<double>({4, 3, 3, 2}, 11);
  const FoldedConv folded = fold_batch_norm(weight, {}, bn);
  const std::vector<Tensor> inputs = {random_tensor<double>({2, 5, 6, 2}, 12),
                                      random_tensor<double>({2, 5, 6, 4}, 13)};
  const test::Op apart = [&](const std::vector<Tensor>& in) {
    return frozen_batch_norm(conv2d(in[0], weight, {}, {}, {.padding = {1, 1}}), bn,
                             {.residual = in[1], .relu = true});
  };
  const test::Op together = [&](const std::vector<Tensor>& in) {
    return conv2d(in[0], folded.weight, folded.bias, in[1], {.padding = {1, 1}, .relu = true});
  };
  const auto near = [](const Tensor& actual, const Tensor& expected) {
    for (int64_t i = 0; i < expected.numel(); ++i) {
      REQUIRE(std::abs(actual.data<const double>()[i] - expected.data<const double>()[i]) <= 1e-12);
    }
  };
  const Tensor grad = random_tensor<double>({2, 5, 6, 4}, 14);
  near(apart(inputs), together(inputs));
  const std::vector<Tensor> actual = test::op_gradients(apart, inputs, grad);
  const std::vector<Tensor> expected = test::op_gradients(together, inputs, grad);
  near(actual[0], expected[0]);
  near(actual[1], expected[1]);
}

// The constants are computed in f64 on both sides and nothing is contracted: f32 gives equal bits,
// bf16 those of the rounded f32 result.
void check_cuda(const Shape& shape, Device device) {
  CAPTURE(shape.to_string());
  const Tensor input = random_tensor(shape, 7, -2, 2);
  const BatchNormConstants bn = random_constants<float>(shape[-1], 1e-5);
  const BatchNormConstants bn_there = copy_to(bn, device);
  for (const Tensor& residual : {Tensor{}, random_tensor(shape, 8)}) {
    for (const bool relu : {false, true}) {
      const Tensor output =
          frozen_batch_norm(mrcnn::copy_to(input, device), bn_there,
                            {.residual = mrcnn::copy_to(residual, device), .relu = relu});
      const Tensor expected = frozen_batch_norm(input, bn, {.residual = residual, .relu = relu});
      CHECK(test::count_different_bits(output, expected) == 0);

      const auto rounded = [&](const Tensor& tensor) {
        return tensor.defined() ? cast(tensor, DType::kBF16) : tensor;
      };
      const auto rounded_f32 = [&](const Tensor& tensor) {
        return tensor.defined() ? test::rounded_to_bf16(tensor) : tensor;
      };
      const Tensor output_bf16 =
          frozen_batch_norm(mrcnn::copy_to(rounded(input), device), bn_there,
                            {.residual = mrcnn::copy_to(rounded(residual), device), .relu = relu});
      const Tensor expected_bf16 = frozen_batch_norm(
          rounded_f32(input), bn, {.residual = rounded_f32(residual), .relu = relu});
      CHECK(test::count_different_bits(output_bf16, cast(expected_bf16, DType::kBF16)) == 0);
    }
  }
}

TEST_CASE("CUDA matches the CPU at pack, warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 8, 31, 32, 257, 264}) {
      check_cuda({1, 1, 3, channels}, device);
    }
    check_cuda({2, 5, 7, 12}, device);
    check_cuda({0, 5, 7, 12}, device);
  });
}

TEST_CASE("CUDA keeps NaN, and refuses constants elsewhere or in f64") {
  test::on_cuda([](Device device) {
    const BatchNormConstants bn = random_constants<float>(2, 0);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor input = Tensor::from<float>(std::vector<float>{nan, -9, 9, nan}, {2, 2});
    const Tensor there = mrcnn::copy_to(input, device);
    const Tensor output = frozen_batch_norm(there, copy_to(bn, device), {.relu = true});
    CHECK(test::count_different_bits(output, frozen_batch_norm(input, bn, {.relu = true})) == 0);
    CHECK_THROWS_WITH_AS(frozen_batch_norm(there, bn), doctest::Contains("different devices"),
                         DeviceError);
    CHECK_THROWS_WITH_AS(frozen_batch_norm(there, copy_to(random_constants<double>(2, 0), device)),
                         doctest::Contains("must be f32 on a GPU"), DTypeError);
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const bool relu : {false, true}) {
      for (const int64_t channels : {1, 8, 33}) {
        const Tensor input = random_tensor({2, 7, channels}, 1);
        test::check_cuda_gradients(norm(relu), {input}, device);
        test::check_cuda_gradients(norm(relu), {input, random_tensor({2, 7, channels}, 2)}, device);
      }
      test::check_cuda_gradients(norm(relu), {Tensor::empty({0, 7, 12})}, device);
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({7, 12}, 5);
    const Tensor there = mrcnn::copy_to(input, device);
    const BatchNormConstants bn = random_constants<float>(12, 1e-5);
    const BatchNormConstants bn_there = copy_to(bn, device);
    const Tensor output =
        test::replayed(device, [&] { return frozen_batch_norm(there, bn_there); });
    CHECK(test::count_different_bits(output, frozen_batch_norm(input, bn)) == 0);
  });
}

TEST_CASE("Edges: empty input, NaN through the ReLU, eps 0 with a zero variance") {
  BatchNormConstants bn = random_constants<float>(2, 0);
  CHECK(frozen_batch_norm(Tensor::empty({0, 7, 2}), bn).shape() == Shape{0, 7, 2});

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor input = Tensor::from<float>(std::vector<float>{nan, -9, 9, nan}, {2, 2});
  const Tensor output = frozen_batch_norm(input, bn, {.relu = true});
  CHECK(std::isnan(output.data<const float>()[0]));
  CHECK(output.data<const float>()[1] == 0);
  CHECK(std::isnan(output.data<const float>()[3]));

  bn.running_var = Tensor::zeros({2});
  bn.running_mean = Tensor::zeros({2});
  CHECK(std::isnan(frozen_batch_norm(Tensor::zeros({1, 2}), bn).data<const float>()[0]));
  bn.bias = Tensor::zeros({2});
  bn.running_mean = random_tensor({2}, 3, 1, 2);
  CHECK(std::isnan(frozen_batch_norm(random_tensor({1, 2}, 4, 5, 6), bn).data<const float>()[0]));
}

}  // namespace
}  // namespace mrcnn
