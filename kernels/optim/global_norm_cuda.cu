#include <cmath>

#include "core/cuda/device_math.cuh"
#include "kernels/optim/clip_math.h"
#include "kernels/optim/global_norm.h"
#include "kernels/optim/tensor_table.cuh"

namespace mrcnn::cuda {
namespace {

// The sum of all threads' values, valid in thread 0: halves of a binary tree in shared memory.
template <typename T>
__device__ __forceinline__ T block_sum(T value, T* partial) {
  const auto thread = static_cast<int>(threadIdx.x);
  partial[thread] = value;
  for (int distance = kTableBlock / 2; distance > 0; distance /= 2) {
    __syncthreads();
    if (thread < distance) partial[thread] += partial[thread + distance];
  }
  return partial[0];
}

// partial [gridDim.x]: the sum of squares of each thread block's piece
__global__ void global_norm_partial_kernel(TensorTable<ReadItem<float>> table,
                                           float* __restrict__ partial) {
  __shared__ float sums[kTableBlock];
  const TablePiece piece = table_piece(table);
  const float* const values = table.items[piece.item].values;
  float sum = 0;
  for (int64_t i = piece.begin + threadIdx.x; i < piece.end; i += kTableBlock) {
    sum = fmaf(values[i], values[i], sum);
  }
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One thread block.
__global__ void global_norm_finish_kernel(int64_t pieces, const float* __restrict__ partial,
                                          float* __restrict__ norm) {
  __shared__ double sums[kTableBlock];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < pieces; i += kTableBlock) {
    sum += static_cast<double>(partial[i]);
  }
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) *norm = static_cast<float>(std::sqrt(sum));
}

__global__ void clip_coefficient_kernel(const float* __restrict__ norm, float max_norm,
                                        float* __restrict__ coefficient) {
  if (threadIdx.x == 0) *coefficient = clip_coefficient_of(*norm, max_norm);
}

}  // namespace

int64_t global_norm_pieces(std::span<const ReadItem<float>> items) {
  int64_t pieces = 0;
  for (const ReadItem<float>& item : items) pieces += table_blocks(item.count);
  return pieces;
}

void global_norm(std::span<const ReadItem<float>> items, float* partial, float* norm,
                 Stream stream) {
  int64_t pieces = 0;
  for_each_table(items, [&](const TensorTable<ReadItem<float>>& table, unsigned blocks) {
    launch("global_norm_partial", global_norm_partial_kernel,
           {.grid = dim3(blocks), .block = dim3(kTableBlock), .stream = stream}, table,
           partial + pieces);
    pieces += blocks;
  });
  launch("global_norm_finish", global_norm_finish_kernel,
         {.grid = dim3(1), .block = dim3(kTableBlock), .stream = stream}, pieces, partial, norm);
}

void clip_coefficient(const float* norm, float max_norm, float* coefficient, Stream stream) {
  launch("clip_coefficient", clip_coefficient_kernel,
         {.grid = dim3(1), .block = dim3(kWarp), .stream = stream}, norm, max_norm, coefficient);
}

}  // namespace mrcnn::cuda
