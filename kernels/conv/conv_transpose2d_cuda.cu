#include "core/cuda/launch.cuh"
#include "kernels/conv/conv_transpose2d.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM: full occupancy

// One thread, one word. `words`: of an item.
template <typename Word>
__global__ void swap_axes_kernel(SwapAxesGeometry g, int64_t words, const Word* __restrict__ source,
                                 Word* __restrict__ target) {
  const int64_t count = g.batch * g.rows * g.columns * words;
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const int64_t word = i % words;
    const int64_t item = i / words;
    const int64_t row = item % g.rows;
    const int64_t column = item / g.rows % g.columns;
    const int64_t batch = item / g.rows / g.columns;
    target[i] = source[((batch * g.rows + row) * g.columns + column) * words + word];
  }
}

template <typename Word>
void swap_words(const SwapAxesGeometry& g, const std::byte* source, std::byte* target,
                Stream stream) {
  const int64_t words = g.item_bytes / static_cast<int64_t>(sizeof(Word));
  const int64_t count = g.batch * g.rows * g.columns * words;
  if (count == 0) return;
  launch("swap_axes", swap_axes_kernel<Word>,
         {.grid = blocks_for(count, kBlock), .block = dim3(kBlock), .stream = stream}, g, words,
         reinterpret_cast<const Word*>(source), reinterpret_cast<Word*>(target));
}

}  // namespace

void swap_axes(const SwapAxesGeometry& g, const std::byte* source, std::byte* target,
               Stream stream) {
  const uint64_t alignment = reinterpret_cast<uintptr_t>(source) |
                             reinterpret_cast<uintptr_t>(target) |
                             static_cast<uint64_t>(g.item_bytes);
  if (alignment % sizeof(uint4) == 0) {
    swap_words<uint4>(g, source, target, stream);
  } else if (alignment % sizeof(uint32_t) == 0) {
    swap_words<uint32_t>(g, source, target, stream);
  } else {
    swap_words<uint16_t>(g, source, target, stream);
  }
}

}  // namespace mrcnn::cuda
