#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/mask_bits.h"
#include "kernels/detection/mask_paste.cuh"

namespace mrcnn::cuda {
namespace {

// A block writes a tile of kTileWords words (one a warp) by kTileRows rows (one a lane). 8 words
// are 32 bytes, the least that memory moves; 256 threads divide the threads of an SM.
constexpr int kTileWords = 8;
constexpr int kTileRows = kWarp;

struct TileGrid {
  int64_t words = 0;  // of a row
  int64_t across = 0;
  int64_t down = 0;
};

// Row first_row + lane of the word that starts at column first_column.
__device__ __forceinline__ unsigned pasted_word(const MaskGeometry& g, const PasteWindow& window,
                                                const float* __restrict__ probs, int64_t first_row,
                                                int64_t first_column, PasteTap (&taps)[kWarp]) {
  const int64_t begin = window.rows.begin > first_row ? window.rows.begin : first_row;
  const int64_t stop = first_row + kTileRows;
  const int64_t end = window.rows.end < stop ? window.rows.end : stop;
  unsigned word = 0;
  if (begin >= end || first_column >= window.columns.end ||
      first_column + kWarp <= window.columns.begin) {
    return word;  // the same for the whole warp
  }
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  const int64_t x = first_column + lane;
  const bool inside = x >= window.columns.begin && x < window.columns.end;
  const PasteTap column =
      paste_tap(window.columns, inside ? x : window.columns.begin, g.mask_size + 2);
  walk_pasted_rows(probs, g.mask_size, window.rows, begin, end, column, taps,
                   [&](int64_t y, float value) {
                     const unsigned bits =
                         __ballot_sync(kAllLanes, static_cast<int>(inside && value > g.threshold));
                     if (y == first_row + lane) word = bits;
                   });
  return word;
}

__global__ void mask_bits_kernel(MaskGeometry g, TileGrid tiles, const float* __restrict__ probs,
                                 const float* __restrict__ boxes, int32_t* __restrict__ bits) {
  __shared__ PasteTap taps[kTileWords][kWarp];
  __shared__ unsigned tile[kTileRows][kTileWords + 1];  // one more: lanes write different banks
  const int64_t per_mask = tiles.across * tiles.down;
  const int64_t mask = blockIdx.x / per_mask;
  const int64_t first_row = blockIdx.x % per_mask / tiles.across * kTileRows;
  const int64_t first_word = blockIdx.x % tiles.across * kTileWords;
  const PasteWindow window =
      paste_window(boxes + 4 * mask, g.mask_size, g.extra_pixel, g.height, g.width);
  const auto warp = static_cast<int>(threadIdx.x / kWarp);
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  tile[lane][warp] = pasted_word(g, window, probs + mask * g.mask_size * g.mask_size, first_row,
                                 (first_word + warp) * kWarp, taps[warp]);
  __syncthreads();
  const int64_t row = first_row + threadIdx.x / kTileWords;
  const int64_t word = first_word + threadIdx.x % kTileWords;
  if (row < g.height && word < tiles.words) {
    bits[(mask * g.height + row) * tiles.words + word] =
        static_cast<int32_t>(tile[threadIdx.x / kTileWords][threadIdx.x % kTileWords]);
  }
}

}  // namespace

void mask_bits(const MaskGeometry& g, const float* probs, const float* boxes, int32_t* bits,
               Stream stream) {
  if (g.masks * g.pixels() == 0) return;
  const int64_t words = (g.width + 31) / 32;
  const TileGrid tiles{.words = words,
                       .across = (words + kTileWords - 1) / kTileWords,
                       .down = (g.height + kTileRows - 1) / kTileRows};
  launch("mask_bits", mask_bits_kernel,
         {.grid = blocks_for(g.masks * tiles.across * tiles.down, 1),
          .block = dim3(kTileWords * kWarp),
          .stream = stream},
         g, tiles, probs, boxes, bits);
}

}  // namespace mrcnn::cuda
