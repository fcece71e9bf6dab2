// Reading and writing activations in kernels: f32 or bf16 in memory, f32 in registers, 16 bytes an
// access where the number of channels allows it.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <bit>
#include <cstdint>

#include "core/dtype.h"

namespace mrcnn::cuda {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffU;

// Elements in 16 bytes: 4 floats, 8 bf16.
template <typename T>
inline constexpr int kPackSize = 16 / static_cast<int>(sizeof(T));

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(BFloat16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}

template <typename T>
__device__ __forceinline__ T from_float(float value);
template <>
__device__ __forceinline__ float from_float<float>(float value) {
  return value;
}
template <>
__device__ __forceinline__ BFloat16 from_float<BFloat16>(float value) {
  BFloat16 result;
  result.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
  return result;
}

// kWidth neighbouring elements as f32: kPackSize<T> of them move with one access, 1 is the path
// for channels that are no multiple of that.
template <int kWidth>
struct Pack {
  float values[kWidth];
};

// 16-byte aligned unless kWidth is 1.
template <int kWidth, typename T>
__device__ __forceinline__ Pack<kWidth> load_pack(const T* source) {
  Pack<kWidth> pack;
  if constexpr (kWidth == 1) {
    pack.values[0] = to_float(*source);
  } else {
    static_assert(kWidth == kPackSize<T>, "a pack is 16 bytes");
    const uint4 words = __ldg(reinterpret_cast<const uint4*>(source));
    const unsigned word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (sizeof(T) == 4) {
        pack.values[i] = __uint_as_float(word[i]);
      } else {
        pack.values[2 * i] = __uint_as_float(word[i] << 16);
        pack.values[2 * i + 1] = __uint_as_float(word[i] & 0xffff0000U);
      }
    }
  }
  return pack;
}

template <int kWidth, typename T>
__device__ __forceinline__ void store_pack(T* target, const Pack<kWidth>& pack) {
  if constexpr (kWidth == 1) {
    *target = from_float<T>(pack.values[0]);
  } else {
    static_assert(kWidth == kPackSize<T>, "a pack is 16 bytes");
    unsigned word[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (sizeof(T) == 4) {
        word[i] = __float_as_uint(pack.values[i]);
      } else {
        const unsigned low = from_float<BFloat16>(pack.values[2 * i]).bits;
        const unsigned high = from_float<BFloat16>(pack.values[2 * i + 1]).bits;
        word[i] = low | high << 16;
      }
    }
    *reinterpret_cast<uint4*>(target) = make_uint4(word[0], word[1], word[2], word[3]);
  }
}

// Calls f with std::integral_constant<int, width>: the pack of T if `channels` is a multiple of it,
// else 1. For launchers that choose a kernel by it. Tensors start 16-byte aligned.
template <typename T, typename F>
void with_pack_width(int64_t channels, F&& f) {
  if (channels % kPackSize<T> == 0) {
    f(std::integral_constant<int, kPackSize<T>>{});
  } else {
    f(std::integral_constant<int, 1>{});
  }
}

}  // namespace mrcnn::cuda
