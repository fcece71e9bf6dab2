// The rules of cast (primitives.h) for one element, shared by the CPU and GPUs.
#pragma once

#include <limits>
#include <type_traits>

#include "core/dtype.h"
#include "core/host_device.h"

namespace mrcnn {

template <typename To, typename From>
HOST_DEVICE To saturated(From value) {
  // The limits as From: the upper one may round up to 2^bits, which no To holds.
  constexpr auto kUpper = static_cast<From>(std::numeric_limits<To>::max());
  constexpr auto kLower = static_cast<From>(std::numeric_limits<To>::min());
  if (value != value) return To{0};  // NaN
  if (value >= kUpper) return std::numeric_limits<To>::max();
  if (value <= kLower) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

template <typename To, typename From>
HOST_DEVICE To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, BFloat16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return BFloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return saturated<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace mrcnn
