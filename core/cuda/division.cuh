// Taking an item's index apart into coordinates.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace mrcnn::cuda {

struct Division {
  int64_t quotient;
  int64_t remainder;
};

// value / divisor for value >= 0, divisor > 0. GPUs have no instruction for it, and the 64-bit
// routine takes three times the 32-bit one, which almost every index fits.
__device__ __forceinline__ Division divide(int64_t value, int64_t divisor) {
  if (((value | divisor) >> 32) == 0) {
    const auto narrow = static_cast<uint32_t>(value), by = static_cast<uint32_t>(divisor);
    const uint32_t quotient = narrow / by;
    return {quotient, narrow - quotient * by};
  }
  const int64_t quotient = value / divisor;
  return {quotient, value - quotient * divisor};
}

}  // namespace mrcnn::cuda
