// Comparing what a GPU gave with what the CPU gives. The GPU's tensor is brought to the CPU.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "core/primitives.h"
#include "core/tensor.h"

namespace mrcnn::test {

// Elements whose bits differ. Types and shapes must agree.
inline int64_t count_different_bits(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.shape() == expected.shape());
  REQUIRE(actual.dtype() == expected.dtype());
  const Tensor host = copy_to(actual, Device{});
  const auto element = static_cast<size_t>(dtype_bytes(host.dtype()));
  int64_t different = 0;
  for (int64_t i = 0; i < host.numel(); ++i) {
    const size_t offset = static_cast<size_t>(i) * element;
    if (std::memcmp(host.raw() + offset, expected.raw() + offset, element) != 0) ++different;
  }
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
