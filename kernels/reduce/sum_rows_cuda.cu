#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/reduce/sum_rows.h"

namespace mrcnn::cuda {
namespace {

constexpr int kColumns = 32;  // of a thread block: a warp reads neighbours
constexpr int kLanes = 8;     // rows that a thread block reads at a time
constexpr int kFinishBlock = 128;

// One thread block adds up kColumns columns of one block of rows: each thread every eighth row,
// then the eight sums from first to last.
template <typename T>
__global__ void sum_rows_partial_kernel(SumRowsGeometry g, const T* __restrict__ input,
                                        float* __restrict__ partial) {
  __shared__ float lane_sums[kLanes][kColumns];
  const auto lane = static_cast<int>(threadIdx.y), x = static_cast<int>(threadIdx.x);
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kColumns + x;
  const int64_t first = static_cast<int64_t>(blockIdx.y) * g.rows_per_block;
  const int64_t end = first + g.rows_per_block < g.rows ? first + g.rows_per_block : g.rows;
  float sum = 0;
  if (column < g.columns) {
    for (int64_t row = first + lane; row < end; row += kLanes) {
      sum += to_float(input[row * g.columns + column]);
    }
  }
  lane_sums[lane][x] = sum;
  __syncthreads();
  if (lane != 0 || column >= g.columns) return;
  for (int other = 1; other < kLanes; ++other) sum += lane_sums[other][x];
  partial[static_cast<int64_t>(blockIdx.y) * g.columns + column] = sum;
}

__global__ void sum_rows_finish_kernel(int64_t blocks, int64_t columns,
                                       const float* __restrict__ partial,
                                       float* __restrict__ sums) {
  for (int64_t column = first_item(); column < columns; column += item_stride()) {
    float sum = 0;
    for (int64_t block = 0; block < blocks; ++block) sum += partial[block * columns + column];
    sums[column] = sum;
  }
}

template <typename T>
void sum_rows_passes(const SumRowsGeometry& g, const T* input, float* partial, float* sums,
                     Stream stream) {
  const dim3 tiles = blocks_for(g.columns, kColumns);
  launch("sum_rows_partial", sum_rows_partial_kernel<T>,
         {.grid = dim3(tiles.x, static_cast<unsigned>(g.blocks())),
          .block = dim3(kColumns, kLanes),
          .stream = stream},
         g, input, partial);
  launch(
      "sum_rows_finish", sum_rows_finish_kernel,
      {.grid = blocks_for(g.columns, kFinishBlock), .block = dim3(kFinishBlock), .stream = stream},
      g.blocks(), g.columns, partial, sums);
}

}  // namespace

void sum_rows(const SumRowsGeometry& g, const float* input, float* partial, float* sums,
              Stream stream) {
  sum_rows_passes(g, input, partial, sums, stream);
}

void sum_rows(const SumRowsGeometry& g, const BFloat16* input, float* partial, float* sums,
              Stream stream) {
  sum_rows_passes(g, input, partial, sums, stream);
}

}  // namespace mrcnn::cuda
