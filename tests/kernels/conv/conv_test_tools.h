// What the tests of convolutions share: types are widened for the f64 oracle, and errors are
// measured relative to the spread of the expected values.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/tensor.h"

namespace mrcnn::test {

inline Tensor to_f64(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  Tensor wide = Tensor::empty(tensor.shape(), DType::kF64);
  std::copy_n(tensor.data<const float>(), tensor.numel(), wide.data<double>());
  return wide;
}

struct Deviation {
  double max = 0;  // largest |actual - expected|
  double rms = 0;  // root of the mean square
};

// Both relative to the root mean square of `expected` (f64); infinite when shapes differ or a value
// is not a number.
inline Deviation deviation(const Tensor& actual, const Tensor& expected) {
  if (actual.shape() != expected.shape()) return {INFINITY, INFINITY};
  double largest = 0, square = 0, scale = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double want = expected.data<const double>()[i];
    const double error = std::abs(static_cast<double>(actual.data<const float>()[i]) - want);
    if (!std::isfinite(error)) return {INFINITY, INFINITY};
    largest = std::max(largest, error);
    square += error * error;
    scale += want * want;
  }
  if (expected.numel() == 0 || scale == 0) return {largest, largest};
  const auto count = static_cast<double>(expected.numel());
  const double unit = std::sqrt(scale / count);
  return {largest / unit, std::sqrt(square / count) / unit};
}

}  // namespace mrcnn::test
