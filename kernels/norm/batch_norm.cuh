// How a block of threads sums over pixels, and over chunks of them, for each channel.
#pragma once

#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/element_vector.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/norm/batch_norm_math.h"

namespace mrcnn::cuda {

// First stage: a block has kTilePacks packs of neighbouring channels, whole 128-byte lines of a
// pixel, times kTileRows pixels at a time. Second stage: a block has kFinishChannels channels times
// kFinishRows chunks at a time.
inline constexpr int kTilePacks = 8;
inline constexpr int kTileRows = 32;
inline constexpr int kFinishChannels = 32;
inline constexpr int kFinishRows = 8;

// The place of a thread in the first stage. Threads beyond the last pack take part in the sums and
// touch no memory.
template <int kWidth>
struct TilePlace {
  int row;
  int64_t chunk;
  int64_t channel;
  bool is_active;
};

template <int kWidth>
__device__ TilePlace<kWidth> tile_place(int64_t channels) {
  const auto thread = static_cast<int>(threadIdx.x);
  const int64_t pack = static_cast<int64_t>(blockIdx.y) * kTilePacks + thread % kTilePacks;
  return {.row = thread / kTilePacks,
          .chunk = static_cast<int64_t>(blockIdx.x),
          .channel = pack * kWidth,
          .is_active = pack * kWidth < channels};
}

template <int kWidth>
LaunchConfig tile_launch(const BatchNormGeometry& geometry, Stream stream) {
  const int64_t packs = geometry.channels / kWidth;
  return {.grid = dim3(static_cast<unsigned>(geometry.chunks),
                       static_cast<unsigned>((packs + kTilePacks - 1) / kTilePacks)),
          .block = dim3(kTilePacks * kTileRows),
          .stream = stream};
}

// Adds up the rows' values in the order of a tree; every thread of a column gets the sum. All
// threads of the block come here. shared [kTileRows][kTilePacks] packs.
template <int kWidth>
__device__ Pack<kWidth> sum_rows(const Pack<kWidth>& value, Pack<kWidth>* shared) {
  const auto thread = static_cast<int>(threadIdx.x);
  __syncthreads();  // the previous sum is read
  shared[thread] = value;
  for (int rows = kTileRows / 2; rows > 0; rows /= 2) {
    __syncthreads();
    if (thread < rows * kTilePacks) {
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        shared[thread].values[k] += shared[thread + rows * kTilePacks].values[k];
      }
    }
  }
  __syncthreads();
  return shared[thread % kTilePacks];
}

// Of neighbouring channels; 16-byte aligned unless kWidth is 1.
template <int kWidth>
__device__ Pack<kWidth> load_channels(const float* source) {
  Pack<kWidth> constants;
  constexpr int kStep = kWidth == 1 ? 1 : 4;
#pragma unroll
  for (int first = 0; first < kWidth; first += kStep) {
    const ElementVector<float, kStep> part = load_vector<kStep>(source + first);
#pragma unroll
    for (int k = 0; k < kStep; ++k) constants.values[first + k] = part.values[k];
  }
  return constants;
}

template <int kWidth>
__device__ void store_channels(float* target, const Pack<kWidth>& pack) {
  constexpr int kStep = kWidth == 1 ? 1 : 4;
#pragma unroll
  for (int first = 0; first < kWidth; first += kStep) {
    ElementVector<float, kStep> part;
#pragma unroll
    for (int k = 0; k < kStep; ++k) part.values[k] = pack.values[first + k];
    store_vector<kStep>(target + first, part);
  }
}

// Second stage: the sum over the rows of a column; every thread of the column gets it. All threads
// of the block come here. shared [kFinishRows][kFinishChannels].
__device__ inline double sum_chunks(double value, double* shared) {
  const auto lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
  __syncthreads();  // the previous sum is read
  shared[row * kFinishChannels + lane] = value;
  __syncthreads();
  double sum = 0;
  for (int i = 0; i < kFinishRows; ++i) sum += shared[i * kFinishChannels + lane];
  return sum;
}

// Whether a pixel counts.
__device__ inline bool counts(const BatchNormGeometry& geometry, int64_t pixel) {
  return geometry.labels == nullptr ||
         geometry.labels[divide(pixel, geometry.row_pixels).quotient] >= 0;
}

// All pixels that count, in the second stage; like sum_chunks.
__device__ inline double all_counted_pixels(const BatchNormGeometry& geometry, double* shared) {
  if (geometry.labels == nullptr) return static_cast<double>(geometry.pixels);
  double pixels = 0;
  for (int64_t chunk = threadIdx.y; chunk < geometry.chunks; chunk += kFinishRows) {
    pixels += static_cast<double>(counted_pixels(geometry, chunk));
  }
  return sum_chunks(pixels, shared);
}

inline LaunchConfig finish_launch(const BatchNormGeometry& geometry, Stream stream) {
  return {.grid = blocks_for(geometry.channels, kFinishChannels),
          .block = dim3(kFinishChannels, kFinishRows),
          .stream = stream};
}

}  // namespace mrcnn::cuda
