// Tiles are sorted in shared memory, then merged pairwise: the steps that reach beyond a tile run
// in global memory, up to kMaxSteps of them per launch on keys held in registers, the rest of a
// merge in shared memory again.
#include <algorithm>

#include "core/cuda/launch.cuh"
#include "kernels/detection/block_sort.cuh"
#include "kernels/detection/score_order.h"

namespace mrcnn::cuda {
namespace {

constexpr int kMaxSteps = 4;        // 16 keys, 32 registers a thread
constexpr int kMergeThreads = 128;  // small, so that long rows reach all multiprocessors

struct Rows {
  int64_t n;
  const int32_t* count;  // or null
  uint64_t* keys;
};

__device__ int64_t keys_in_row(const Rows& rows, int64_t row) {
  if (rows.count == nullptr) return rows.n;
  const int64_t count = rows.count[row];
  return count < 0 ? 0 : count < rows.n ? count : rows.n;
}

// Sorts each tile, or (kMerge) finishes the merge of tiles whose halves are bitonic.
template <bool kMerge>
__global__ void __launch_bounds__(1024) sort_keys_tile_kernel(Rows rows, int64_t tiles, int tile) {
  auto* const keys = dynamic_shared_memory<uint64_t>();
  const int64_t row = blockIdx.x / tiles;
  const int64_t start = blockIdx.x % tiles * tile;
  const int64_t left = keys_in_row(rows, row) - start;
  if (left <= 0) return;  // the whole block
  const int count = left < tile ? static_cast<int>(left) : tile;
  uint64_t* const global = rows.keys + row * rows.n + start;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    keys[i] = global[i];
  }
  if constexpr (kMerge) {
    SortSteps steps(keys, count);
    for (int span = tile; span > 1; span /= 2) steps.compare_halves(span, false);
    __syncthreads();
  } else {
    block_sort(keys, count);
  }
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    global[i] = keys[i];
  }
}

// kSteps neighbouring steps of a merge, the first of span `span`. A thread holds the 2^kSteps keys
// that these steps connect; they lie `gap` apart. With kMirrored the first step pairs mirrored
// positions, and the upper half's keys are those that mirror the lower half's.
template <int kSteps, bool kMirrored>
__global__ void __launch_bounds__(kMergeThreads) sort_keys_merge_kernel(Rows rows, int64_t span) {
  constexpr int kKeys = 1 << kSteps;
  const int64_t row = blockIdx.y;
  const int64_t count = keys_in_row(rows, row);
  const int64_t gap = span / kKeys;
  const int64_t thread = first_item();
  const int64_t offset = thread % gap;
  const int64_t start = thread / gap * span;
  if (start >= count) return;
  uint64_t* const keys = rows.keys + row * rows.n + start;
  const auto place = [&](int i) {
    const bool turned = kMirrored && i >= kKeys / 2;
    return i * gap + (turned ? gap - 1 - offset : offset);
  };
  uint64_t held[kKeys];
#pragma unroll
  for (int i = 0; i < kKeys; ++i) held[i] = start + place(i) < count ? keys[place(i)] : UINT64_MAX;
#pragma unroll
  for (int half = kKeys / 2; half > 0; half /= 2) {
#pragma unroll
    for (int i = 0; i < kKeys; ++i) {
      if ((i & half) != 0) continue;
      const bool first = kMirrored && half == kKeys / 2;
      put_in_order(held[i], held[first ? kKeys - 1 - i : i + half]);
    }
  }
#pragma unroll
  for (int i = 0; i < kKeys; ++i) {
    if (start + place(i) < count) keys[place(i)] = held[i];
  }
}

template <bool kMerge>
void sort_tiles(int64_t num_rows, const Rows& rows, int64_t tile, Stream stream) {
  const int64_t tiles = (rows.n + tile - 1) / tile;
  const int64_t largest = std::min(rows.n, tile);
  const auto bytes = static_cast<size_t>(largest) * sizeof(uint64_t);
  constexpr const char* kName = kMerge ? "sort_keys_merge_tile" : "sort_keys_tile";
  allow_dynamic_shared(kName, sort_keys_tile_kernel<kMerge>, bytes);
  launch(kName, sort_keys_tile_kernel<kMerge>,
         {.grid = dim3(static_cast<unsigned>(num_rows * tiles)),
          .block = dim3(sort_block(largest)),
          .shared_bytes = bytes,
          .stream = stream},
         rows, tiles, static_cast<int>(tile));
}

template <int kSteps, bool kMirrored>
void merge_steps(int64_t num_rows, const Rows& rows, int64_t span, Stream stream) {
  const int64_t spans = (rows.n + span - 1) / span;
  dim3 grid = blocks_for(spans * (span >> kSteps), kMergeThreads);
  grid.y = static_cast<unsigned>(num_rows);
  launch("sort_keys_merge", sort_keys_merge_kernel<kSteps, kMirrored>,
         {.grid = grid, .block = dim3(kMergeThreads), .stream = stream}, rows, span);
}

template <bool kMirrored>
void merge_steps(int steps, int64_t num_rows, const Rows& rows, int64_t span, Stream stream) {
  static_assert(kMaxSteps == 4);
  switch (steps) {
    case 1:
      return merge_steps<1, kMirrored>(num_rows, rows, span, stream);
    case 2:
      return merge_steps<2, kMirrored>(num_rows, rows, span, stream);
    case 3:
      return merge_steps<3, kMirrored>(num_rows, rows, span, stream);
    default:
      return merge_steps<4, kMirrored>(num_rows, rows, span, stream);
  }
}

}  // namespace

void sort_keys(int64_t rows, int64_t n, const int32_t* count, uint64_t* keys, Stream stream,
               int64_t tile) {
  if (rows == 0 || n == 0) return;
  const Rows view{n, count, keys};
  sort_tiles<false>(rows, view, tile, stream);
  int beyond = 1;  // steps of the merge that reach beyond a tile
  for (int64_t size = 2 * tile; size / 2 < n; size *= 2, ++beyond) {
    int steps = std::min(beyond, kMaxSteps);
    merge_steps<true>(steps, rows, view, size, stream);
    for (int done = steps; done < beyond; done += steps) {
      steps = std::min(beyond - done, kMaxSteps);
      merge_steps<false>(steps, rows, view, size >> done, stream);
    }
    sort_tiles<true>(rows, view, tile, stream);
  }
}

void sort_keys(int64_t rows, int64_t n, uint64_t* keys, Stream stream) {
  sort_keys(rows, n, nullptr, keys, stream);
}

}  // namespace mrcnn::cuda
