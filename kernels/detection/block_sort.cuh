// Bitonic sort of 64-bit keys in the shared memory of one block.
// Every comparison leaves the smaller key at the lower index (the first step of a merge pairs
// mirrored positions instead of reversing runs). So positions past the end count as infinitely
// large: no key ever moves there, and any number of keys can be sorted in place.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/device_math.cuh"

namespace mrcnn::cuda {

__device__ __forceinline__ void put_in_order(uint64_t& low, uint64_t& high) {
  if (high < low) {
    const uint64_t smaller = high;
    high = low;
    low = smaller;
  }
}

// The steps of one block's network, each with the barrier that it needs before. In every step of
// span up to 64 a warp owns the same 64 neighbouring keys: those steps order within the warp.
class SortSteps {
 public:
  __device__ SortSteps(uint64_t* keys, int count) : keys_(keys), count_(count) {}

  // Compares the halves of each span: key i of the lower with the mirrored one of the upper half,
  // which turns two sorted halves into two bitonic ones, or with key i, which does it for bitonic
  // spans. Then every key of the lower half is the smaller.
  __device__ void compare_halves(int span, bool mirrored) {
    wait(span);
    const int half = span / 2;
    const int width = static_cast<int>(blockDim.x);
    for (int pair = static_cast<int>(threadIdx.x); 2 * pair < count_ + half; pair += width) {
      const int offset = pair & (half - 1);
      const int low = 2 * pair - offset;
      const int high = mirrored ? low + span - 1 - 2 * offset : low + half;
      if (high < count_) put_in_order(keys_[low], keys_[high]);
    }
  }

 private:
  __device__ void wait(int span) {
    constexpr int kWarpSpan = 2 * kWarp;
    if (span > kWarpSpan || last_span_ > kWarpSpan) {
      __syncthreads();
    } else {
      __syncwarp();
    }
    last_span_ = span;
  }

  uint64_t* keys_;
  int count_;
  int last_span_ = INT32_MAX;  // anybody wrote the keys
};

// Sorts keys[0..count) in shared memory. All threads of the block come; barriers are inside, before
// the first access and after the last.
__device__ inline void block_sort(uint64_t* keys, int count) {
  SortSteps steps(keys, count);
  for (int size = 2; size / 2 < count; size *= 2) {
    steps.compare_halves(size, true);
    for (int span = size / 2; span > 1; span /= 2) steps.compare_halves(span, false);
  }
  __syncthreads();
}

// Block size for block_sort of up to `count` keys: a thread per pair.
inline unsigned sort_block(int64_t count) {
  unsigned threads = kWarp;
  while (threads < 1024 && 2 * threads < count) threads *= 2;
  return threads;
}

}  // namespace mrcnn::cuda
