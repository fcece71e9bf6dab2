// Comparing what a GPU gave with what the CPU gives. The GPU's tensor is brought to the CPU.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "core/dispatch_dtype.h"
#include "core/primitives.h"
#include "core/tensor.h"

namespace mrcnn::test {

// Whether element i of two CPU tensors of one type is the same. Every NaN is the same: which bits
// arithmetic gives one depends on the machine.
template <typename T>
bool is_same_element(const Tensor& a, const Tensor& b, int64_t i) {
  const T x = a.data<const T>()[i], y = b.data<const T>()[i];
  if (static_cast<float>(x) != static_cast<float>(x)) {
    return static_cast<float>(y) != static_cast<float>(y);
  }
  return std::memcmp(&x, &y, sizeof(T)) == 0;
}

// Elements whose bits differ. Types and shapes must agree.
inline int64_t count_different_bits(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.shape() == expected.shape());
  REQUIRE(actual.dtype() == expected.dtype());
  const Tensor host = copy_to(actual, Device{});
  int64_t different = 0;
  dispatch_dtype(host.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < host.numel(); ++i) {
      if (!is_same_element<T>(host, expected, i)) ++different;
    }
  });
  return different;
}

// Elements further from the expected f32 than `relative` of it plus `absolute`; NaN only matches
// NaN. The actual values are f32 or bf16.
inline int64_t count_far(const Tensor& actual, const Tensor& expected, float relative,
                         float absolute = 0) {
  REQUIRE(actual.shape() == expected.shape());
  const Tensor host = cast(copy_to(actual, Device{}), DType::kF32);
  int64_t far = 0;
  for (int64_t i = 0; i < host.numel(); ++i) {
    const float a = host.data<const float>()[i];
    const float e = expected.data<const float>()[i];
    const bool is_near = std::isnan(e)
                             ? std::isnan(a)
                             : a == e || std::abs(a - e) <= relative * std::abs(e) + absolute;
    if (!is_near) ++far;
  }
  return far;
}

// One rounding to bf16 moves a number by at most this part of it: 8 significant bits.
inline constexpr float kBf16Rounding = 1.0F / 256;

// Rounded to bf16 and back: what a bf16 op reads.
inline Tensor rounded_to_bf16(const Tensor& tensor) {
  return cast(cast(tensor, DType::kBF16), DType::kF32);
}

}  // namespace mrcnn::test
