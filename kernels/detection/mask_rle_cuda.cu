#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/mask_paste.cuh"
#include "kernels/detection/mask_rle.h"

// Two passes over the same columns: the first counts the starts of each, the second knows by sums
// of these where to write them. A walk is cheaper than keeping the starts of unknown number.

namespace mrcnn::cuda {
namespace {

// Threads of a block, one a column: few, so that the masks of an image fill all SMs.
constexpr int kColumns = 128;
constexpr int kWarps = kColumns / kWarp;

// The column of one thread.
struct Column {
  int64_t mask;
  int64_t first;  // column of the image where the thread's block begins
  int64_t x;
  PasteWindow window;

  __device__ bool inside() const { return x < window.columns.end; }
  // Any column of the block; of the thread's warp. The same for all of them.
  __device__ bool block_inside() const { return !window.empty() && first < window.columns.end; }
  __device__ bool warp_inside() const {
    return !window.empty() && x - threadIdx.x % kWarp < window.columns.end;
  }
};

__device__ __forceinline__ Column column_of_thread(const MaskGeometry& g,
                                                   const float* __restrict__ boxes) {
  const int64_t blocks = (g.width + kColumns - 1) / kColumns;
  Column column;
  column.mask = blockIdx.x / blocks;
  column.window =
      paste_window(boxes + 4 * column.mask, g.mask_size, g.extra_pixel, g.height, g.width);
  column.first = column.window.columns.begin + blockIdx.x % blocks * kColumns;
  column.x = column.first + threadIdx.x;
  return column;
}

// Calls each(position) for the starts of runs in the column, in order. The end of a run at the
// bottom belongs to its column unless the next one goes on with its top row. For whole warps.
template <typename F>
__device__ __forceinline__ void walk_column(const MaskGeometry& g, const Column& c,
                                            const float* __restrict__ probs,
                                            PasteTap (&taps)[kWarp], F&& each) {
  const PasteAxis& rows = c.window.rows;
  const PasteAxis& columns = c.window.columns;
  const int64_t source_size = g.mask_size + 2;
  const bool inside = c.inside();
  const bool runs_through = rows.begin == 0 && rows.end == g.height;
  probs += c.mask * g.mask_size * g.mask_size;
  bool previous = false;
  if (runs_through && inside && c.x > columns.begin) {
    previous = paste_value(probs, g.mask_size, paste_tap(rows, g.height - 1, source_size),
                           paste_tap(columns, c.x - 1, source_size)) > g.threshold;
  }
  const PasteTap tap = paste_tap(columns, inside ? c.x : columns.begin, source_size);
  walk_pasted_rows(probs, g.mask_size, rows, rows.begin, rows.end, tap, taps,
                   [&](int64_t y, float value) {
                     const bool pixel = inside && value > g.threshold;
                     if (pixel != previous) each(c.x * g.height + y);
                     previous = pixel;
                   });
  const int64_t end = c.x * g.height + rows.end;
  const bool goes_on = runs_through && c.x + 1 < columns.end;
  if (previous && !goes_on && end < g.pixels()) each(end);
}

__global__ void mask_rle_count_kernel(MaskGeometry g, const float* __restrict__ probs,
                                      const float* __restrict__ boxes,
                                      int32_t* __restrict__ column_counts,
                                      int32_t* __restrict__ counts) {
  __shared__ PasteTap taps[kWarps][kWarp];
  const Column column = column_of_thread(g, boxes);
  if (!column.warp_inside()) return;
  int count = 0;
  walk_column(g, column, probs, taps[threadIdx.x / kWarp], [&](int64_t) { ++count; });
  if (column.inside()) column_counts[column.mask * g.width + column.x] = count;
  const int sum = __reduce_add_sync(kAllLanes, count);
  if (threadIdx.x % kWarp == 0) atomicAdd(counts + column.mask, sum);
}

// Where the thread's column writes its first start: behind those of all masks before, of the
// mask's columns before the block, and of the block's columns before.
__device__ __forceinline__ int64_t first_slot(const MaskGeometry& g, const Column& c,
                                              const int32_t* __restrict__ column_counts,
                                              const int32_t* __restrict__ counts) {
  __shared__ int64_t sums_before[kWarps];
  __shared__ int warp_counts[kWarps];
  const auto warp = static_cast<int>(threadIdx.x / kWarp);
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  const int32_t* const columns = column_counts + c.mask * g.width;
  int64_t before = 0;
  for (int64_t i = threadIdx.x; i < c.mask; i += kColumns) before += counts[i];
  for (int64_t x = c.window.columns.begin + threadIdx.x; x < c.first; x += kColumns) {
    before += columns[x];
  }
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    before += __shfl_xor_sync(kAllLanes, before, distance);
  }
  const int count = c.inside() ? columns[c.x] : 0;
  int inclusive = count;
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const int other = __shfl_up_sync(kAllLanes, inclusive, distance);
    if (lane >= distance) inclusive += other;
  }
  if (lane == kWarp - 1) {
    sums_before[warp] = before;
    warp_counts[warp] = inclusive;
  }
  __syncthreads();
  int64_t slot = inclusive - count;
  for (int i = 0; i < kWarps; ++i) {
    slot += sums_before[i];
    if (i < warp) slot += warp_counts[i];
  }
  return slot;
}

__global__ void mask_rle_write_kernel(MaskGeometry g, const float* __restrict__ probs,
                                      const float* __restrict__ boxes,
                                      const int32_t* __restrict__ column_counts,
                                      const int32_t* __restrict__ counts, int64_t room,
                                      int32_t* __restrict__ starts) {
  __shared__ PasteTap taps[kWarps][kWarp];
  const Column column = column_of_thread(g, boxes);
  if (!column.block_inside()) return;
  int64_t slot = first_slot(g, column, column_counts, counts);
  if (!column.warp_inside()) return;
  walk_column(g, column, probs, taps[threadIdx.x / kWarp], [&](int64_t position) {
    if (slot < room) starts[slot] = static_cast<int32_t>(position);
    ++slot;
  });
}

LaunchConfig grid_of(const MaskGeometry& g, Stream stream) {
  return {.grid = blocks_for(g.masks * ((g.width + kColumns - 1) / kColumns), 1),
          .block = dim3(kColumns),
          .stream = stream};
}

}  // namespace

void mask_rle_count(const MaskGeometry& g, const float* probs, const float* boxes,
                    int32_t* column_counts, int32_t* counts, Stream stream) {
  if (g.masks * g.pixels() == 0) return;
  launch("mask_rle_count", mask_rle_count_kernel, grid_of(g, stream), g, probs, boxes,
         column_counts, counts);
}

void mask_rle_write(const MaskGeometry& g, const float* probs, const float* boxes,
                    const int32_t* column_counts, const int32_t* counts, int64_t room,
                    int32_t* starts, Stream stream) {
  if (g.masks * g.pixels() == 0) return;
  launch("mask_rle_write", mask_rle_write_kernel, grid_of(g, stream), g, probs, boxes,
         column_counts, counts, room, starts);
}

}  // namespace mrcnn::cuda
