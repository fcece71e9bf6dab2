// How the CPU sums over a chunk of pixels, forwards and backwards.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/norm/batch_norm_math.h"

namespace mrcnn::cpu {

// So many pixels are summed in the input's type before they go into a sum in double: their rounding
// stays within 32 units in the last place, and double arithmetic is a small part of the work.
inline constexpr int64_t kBlockPixels = 32;

struct PixelRun {
  int64_t begin;
  int64_t end;
};

// The first pixels in a row from `pixel` on that count; empty at `end`.
inline PixelRun next_run(const BatchNormGeometry& geometry, int64_t pixel, int64_t end) {
  if (geometry.labels == nullptr) return {pixel, end};
  while (pixel < end) {
    const int64_t row = pixel / geometry.row_pixels;
    const int64_t row_end = std::min((row + 1) * geometry.row_pixels, end);
    if (geometry.labels[row] >= 0) return {pixel, row_end};
    pixel = row_end;
  }
  return {end, end};
}

inline double all_counted_pixels(const BatchNormGeometry& geometry) {
  int64_t pixels = 0;
  for (int64_t chunk = 0; chunk < geometry.chunks; ++chunk) {
    pixels += counted_pixels(geometry, chunk);
  }
  return static_cast<double>(pixels);
}

// Calls add(first pixel, pixels, sums [2, C]) for the blocks of one chunk that count and adds up
// their sums.
template <typename T, typename Add>
void sum_chunk(const BatchNormGeometry& geometry, int64_t chunk, double* sums, const Add& add) {
  std::vector<T> block(static_cast<size_t>(2 * geometry.channels));
  std::fill_n(sums, block.size(), 0.0);
  const int64_t begin = chunk * geometry.chunk_pixels;
  const int64_t end = begin + chunk_size(geometry, chunk);
  for (PixelRun run = next_run(geometry, begin, end); run.begin < run.end;
       run = next_run(geometry, run.end, end)) {
    for (int64_t pixel = run.begin; pixel < run.end; pixel += kBlockPixels) {
      std::fill(block.begin(), block.end(), T(0));
      add(pixel, std::min(kBlockPixels, run.end - pixel), block.data());
      for (size_t i = 0; i < block.size(); ++i) sums[i] += static_cast<double>(block[i]);
    }
  }
}

}  // namespace mrcnn::cpu
