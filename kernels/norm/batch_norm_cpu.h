// How the CPU sums over a chunk of pixels, forwards and backwards.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/norm/batch_norm_math.h"

namespace mrcnn::cpu {

// So many pixels are summed in the input's type before they go into a sum in double: their rounding
// stays within 32 units in the last place, and double arithmetic is a small part of the work.
inline constexpr int64_t kBlockPixels = 32;

// Calls add(first pixel, pixels, sums [2, C]) for the blocks of one chunk and adds up their sums.
template <typename T, typename Add>
void sum_chunk(const BatchNormGeometry& geometry, int64_t chunk, double* sums, const Add& add) {
  std::vector<T> block(static_cast<size_t>(2 * geometry.channels));
  std::fill_n(sums, block.size(), 0.0);
  const int64_t begin = chunk * geometry.chunk_pixels;
  const int64_t end = begin + chunk_size(geometry, chunk);
  for (int64_t pixel = begin; pixel < end; pixel += kBlockPixels) {
    std::fill(block.begin(), block.end(), T(0));
    add(pixel, std::min(kBlockPixels, end - pixel), block.data());
    for (size_t i = 0; i < block.size(); ++i) sums[i] += static_cast<double>(block[i]);
  }
}

}  // namespace mrcnn::cpu
