// Element types of tensors.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/host_device.h"

namespace mrcnn {

// bfloat16: the upper half of an IEEE float. Conversion rounds to nearest even and keeps NaN.
struct BFloat16 {
  uint16_t bits = 0;

  BFloat16() = default;
  HOST_DEVICE explicit BFloat16(float value) {
    const uint32_t word = std::bit_cast<uint32_t>(value);
    const bool is_nan = (word & 0x7fffffffU) > 0x7f800000U;
    const uint32_t rounded = word + 0x7fffU + ((word >> 16) & 1U);
    bits = static_cast<uint16_t>(is_nan ? (word >> 16) | 0x40U : rounded >> 16);
  }
  HOST_DEVICE explicit operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
  friend bool operator==(BFloat16, BFloat16) = default;
};

enum class DType : uint8_t { kF32, kF64, kBF16, kI32, kI64, kU8, kBool };

int64_t dtype_bytes(DType dtype);
std::string_view dtype_name(DType dtype);  // "f32", "bf16", ...
constexpr bool is_floating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kBF16;
}

template <typename T>
constexpr DType dtype_of() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return DType::kF32;
  else if constexpr (std::is_same_v<U, double>)
    return DType::kF64;
  else if constexpr (std::is_same_v<U, BFloat16>)
    return DType::kBF16;
  else if constexpr (std::is_same_v<U, int32_t>)
    return DType::kI32;
  else if constexpr (std::is_same_v<U, int64_t>)
    return DType::kI64;
  else if constexpr (std::is_same_v<U, uint8_t>)
    return DType::kU8;
  else {
    static_assert(std::is_same_v<U, bool>, "not an element type of tensors");
    return DType::kBool;
  }
}

}  // namespace mrcnn
