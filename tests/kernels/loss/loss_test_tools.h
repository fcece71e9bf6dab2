// What the tests of the losses share. A loss is a function of its predictions here; targets and
// weights are bound.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "core/autograd/engine.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

using Loss = std::function<Tensor(const Tensor& predictions)>;

struct LossAndGradient {
  Tensor loss;
  Tensor gradient;
};

// The gradient is that of `scale` times the loss.
inline LossAndGradient differentiate(const Loss& loss, const Tensor& predictions,
                                     double scale = 1) {
  Tensor leaf = predictions.detach();
  leaf.require_grad();
  const Tensor value = loss(leaf);
  backward(value, scale);
  return {value.detach(), leaf.grad()};
}

inline double worst_difference(const Tensor& actual, const Tensor& expected) {
  const Tensor a = cast(copy_to(actual, Device{}), DType::kF64);
  const Tensor e = cast(expected, DType::kF64);
  REQUIRE(a.numel() == e.numel());
  double worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<const double>()[i], y = e.data<const double>()[i];
    const double difference = std::abs(x - y) / (1 + std::abs(y));
    if (!(difference <= worst)) worst = difference;  // NaN too
  }
  return worst;
}

// Against torch's numbers in f64, which are those of 1.5 times the loss. f32 predictions are
// computed in f64 and rounded once.
inline void check_golden(const Loss& loss, const Tensor& predictions, const Tensor& golden_loss,
                         const Tensor& golden_gradient) {
  const LossAndGradient f64 = differentiate(loss, cast(predictions, DType::kF64), 1.5);
  CHECK(f64.loss.shape() == Shape{});
  CHECK(f64.loss.dtype() == DType::kF64);
  CHECK(worst_difference(f64.loss, golden_loss) < 1e-15);
  CHECK(worst_difference(f64.gradient, golden_gradient) < 1e-15);
  const LossAndGradient f32 = differentiate(loss, predictions, 1.5);
  CHECK(f32.loss.dtype() == DType::kF32);
  CHECK(worst_difference(f32.loss, golden_loss) < 1e-7);
  CHECK(worst_difference(f32.gradient, golden_gradient) < 1e-7);
}

// `there` is the loss with its targets and weights on the device. Terms are of order 1; f32 sums of
// a few hundred of them are off by some units in the last place, in another order than the CPU's.
inline void check_cuda(const Loss& here, const Loss& there, const Tensor& predictions,
                       Device device) {
  const LossAndGradient expected = differentiate(here, predictions, 1.5);
  const LossAndGradient f32 = differentiate(there, copy_to(predictions, device), 1.5);
  CHECK(f32.loss.shape() == Shape{});
  CHECK(f32.loss.dtype() == DType::kF32);
  CHECK(worst_difference(f32.loss, expected.loss) < 2e-6);
  CHECK(worst_difference(f32.gradient, expected.gradient) < 1e-6);

  const Tensor rounded = rounded_to_bf16(predictions);
  const LossAndGradient exact = differentiate(here, rounded, 1.5);
  const LossAndGradient bf16 =
      differentiate(there, cast(copy_to(predictions, device), DType::kBF16), 1.5);
  CHECK(bf16.loss.dtype() == DType::kF32);
  CHECK(bf16.gradient.dtype() == DType::kBF16);
  CHECK(worst_difference(bf16.loss, exact.loss) < 2e-6);
  CHECK(worst_difference(bf16.gradient, exact.gradient) < static_cast<double>(kBf16Rounding));
}

// Weights of order 1, every third of them 0.
inline Tensor some_weights(int64_t rows, uint64_t seed) {
  Tensor weights = random_tensor({rows}, seed, 0.1, 1);
  for (int64_t row = 1; row < rows; row += 3) weights.data<float>()[row] = 0;
  return weights;
}

// The rows of weight 0 full of `value`.
inline Tensor with_unused_rows(const Tensor& predictions, const Tensor& weights, float value) {
  const Tensor result = predictions.clone();
  const int64_t rows = weights.numel();
  for (int64_t i = 0; i < result.numel(); ++i) {
    if (weights.data<const float>()[i / (result.numel() / rows)] == 0) {
      result.data<float>()[i] = value;
    }
  }
  return result;
}

}  // namespace mrcnn::test
