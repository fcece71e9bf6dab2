// exp in f32 without a library call, so that loops over it vectorise and every machine, GPUs
// included, gives the same bits. Within 2 units in the last place of the exact value; denormal
// results included.
#pragma once

#include <bit>
#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// Cody and Waite 1980, chapter 6: x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n exp(r), with ln
// 2 in two parts so that n ln 2 is exact. exp(r) is a minimax polynomial of degree 6 (the
// coefficients of Cephes expf).
HOST_DEVICE inline float exp_f32(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRoundToInteger = 12582912.0F;  // 1.5 * 2^23: adding it leaves no fraction bits
  x = x > 89.0F ? 89.0F : x;                      // inf from here on; comparisons keep NaN
  x = x < -104.0F ? -104.0F : x;                  // 0 from here on
  const float shifted = x * kLog2E + kRoundToInteger;
  const int32_t exponent =
      std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRoundToInteger);
  const float n = shifted - kRoundToInteger;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  // 2^n in two factors: n reaches 128 and -150, beyond the exponents of one f32.
  const uint32_t half = static_cast<uint32_t>(exponent >> 1);
  const uint32_t rest = static_cast<uint32_t>(exponent) - half;
  return p * std::bit_cast<float>((half + 127U) << 23) * std::bit_cast<float>((rest + 127U) << 23);
}

}  // namespace mrcnn
