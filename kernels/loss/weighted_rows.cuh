// The kernels behind weighted_rows.h: sums in two steps of a fixed order, and gradients.
#pragma once

#include <cstdint>

#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/loss/weighted_rows.h"

namespace mrcnn::cuda {

inline constexpr int kLossBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// The sum over all threads, for thread 0. All threads of a block of kLossBlock come.
__device__ inline float block_sum(float value) {
  __shared__ float warp_sums[kLossBlock / kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, lanes);
  }
  if (lane == 0) warp_sums[threadIdx.x / kWarp] = value;
  __syncthreads();
  float sum = 0.0F;
  if (threadIdx.x == 0) {
    for (const float warp_sum : warp_sums) sum += warp_sum;
  }
  return sum;
}

// term(i) gives the term of element i; those of rows of weight 0 are not asked for.
template <typename Term>
__global__ void weighted_sum_kernel(int64_t items, int64_t columns,
                                    const float* __restrict__ weights, Term term,
                                    float* __restrict__ partials) {
  float sum = 0.0F;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const float weight = weights[divide(item, columns).quotient];
    if (weight != 0) sum += weight * term(item);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// For one block of kBlock threads.
template <int kBlock>
__global__ void sum_partials_kernel(int64_t count, const float* __restrict__ partials,
                                    float* __restrict__ total) {
  float sum = 0.0F;
  for (int64_t i = threadIdx.x; i < count; i += kBlock) sum += partials[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *total = sum;
}

// slope(i) gives the derivative of element i's term.
template <typename T, typename Slope>
__global__ void weighted_gradient_kernel(int64_t items, int64_t columns,
                                         const float* __restrict__ weights,
                                         const float* __restrict__ grad_loss, Slope slope,
                                         T* __restrict__ gradient) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const float weight = weights[divide(item, columns).quotient];
    gradient[item] = from_float<T>(weight == 0 ? 0.0F : *grad_loss * weight * slope(item));
  }
}

// The second step: partials [blocks] to one number, 0 if there are none.
inline void sum_partials(const char* name, int64_t blocks, const float* partials, float* total,
                         Stream stream) {
  launch(name, sum_partials_kernel<kLossBlock>,
         {.grid = dim3(1), .block = dim3(kLossBlock), .stream = stream}, blocks, partials, total);
}

// Both steps. partials [kLossPartials] is scratch.
template <typename Term>
void weighted_sum(const char* name, int64_t rows, int64_t columns, const float* weights,
                  const Term& term, float* partials, float* total, Stream stream) {
  const int64_t items = rows * columns;
  const dim3 grid = blocks_for(items, kLossBlock, kLossPartials);
  if (items > 0) {
    launch(name, weighted_sum_kernel<Term>,
           {.grid = grid, .block = dim3(kLossBlock), .stream = stream}, items, columns, weights,
           term, partials);
  }
  sum_partials(name, items > 0 ? int64_t{grid.x} : 0, partials, total, stream);
}

template <typename T, typename Slope>
void weighted_gradient(const char* name, int64_t rows, int64_t columns, const float* weights,
                       const float* grad_loss, const Slope& slope, T* gradient, Stream stream) {
  const int64_t items = rows * columns;
  if (items == 0) return;
  launch(name, weighted_gradient_kernel<T, Slope>,
         {.grid = blocks_for(items, kLossBlock), .block = dim3(kLossBlock), .stream = stream},
         items, columns, weights, grad_loss, slope, gradient);
}

}  // namespace mrcnn::cuda
