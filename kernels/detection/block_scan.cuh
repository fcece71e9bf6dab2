// Sums over the threads of a block.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/device_math.cuh"

namespace mrcnn::cuda {

struct Scan {
  uint32_t before;  // sum over the threads with a smaller index
  uint32_t total;   // sum over all
};

// The inclusive sum over the lanes of a warp.
__device__ __forceinline__ uint32_t warp_sum_up_to(uint32_t value, unsigned lane) {
  for (unsigned distance = 1; distance < kWarp; distance *= 2) {
    const uint32_t other = __shfl_up_sync(kAllLanes, value, distance);
    if (lane >= distance) value += other;
  }
  return value;
}

// All threads of a block of whole warps come; it orders what they did before and do after.
__device__ inline Scan block_scan(uint32_t value) {
  __shared__ uint32_t warp_sums[kWarp];
  const unsigned lane = threadIdx.x % kWarp;
  const unsigned warp = threadIdx.x / kWarp;
  const uint32_t in_warp = warp_sum_up_to(value, lane);
  if (lane == kWarp - 1) warp_sums[warp] = in_warp;
  __syncthreads();
  const uint32_t sum = lane < blockDim.x / kWarp ? warp_sums[lane] : 0;
  const uint32_t up_to_warp = warp_sum_up_to(sum, lane);
  const uint32_t before_warp = __shfl_sync(kAllLanes, up_to_warp - sum, static_cast<int>(warp));
  const uint32_t total = __shfl_sync(kAllLanes, up_to_warp, kWarp - 1);
  __syncthreads();  // the next call writes warp_sums
  return {before_warp + in_warp - value, total};
}

}  // namespace mrcnn::cuda
