#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/element_vector.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/elementwise/relu_math.h"

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

// One thread, one pack of the products' gradients. `packs`: of a run of KW * O elements.
template <int kWidth, typename T>
__global__ void conv_transpose2d_gather_kernel(ConvTranspose2dGeometry g, int64_t packs,
                                               const T* __restrict__ grad_output,
                                               const T* __restrict__ output,
                                               T* __restrict__ grad_products) {
  const int64_t count = g.pixels() * g.kernel_h * packs;
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const auto [run, pack] = divide(i, packs);
    const auto [pixel, ky] = divide(run, g.kernel_h);
    const auto [line, x] = divide(pixel, g.width);
    const int64_t from = (((line * g.kernel_h + ky) * g.width + x) * packs + pack) * kWidth;
    Pack<kWidth> grad = load_pack<kWidth>(grad_output + from);
    if (output != nullptr) {
      const Pack<kWidth> result = load_pack<kWidth>(output + from);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        grad.values[k] = relu_gradient(grad.values[k], result.values[k]);
      }
    }
    store_pack<kWidth>(grad_products + i * kWidth, grad);
  }
}

}  // namespace

template <typename T>
void conv_transpose2d_gather(const ConvTranspose2dGeometry& g, const T* grad_output,
                             const T* output, T* grad_products, Stream stream) {
  const int64_t run = g.kernel_w * g.out_channels;
  const int64_t count = g.pixels() * g.kernel_h * run;
  if (count == 0) return;
  const auto start = [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    launch("conv_transpose2d_gather", conv_transpose2d_gather_kernel<kWidth, T>,
           {.grid = blocks_for(count / kWidth, kBlock), .block = dim3(kBlock), .stream = stream}, g,
           run / kWidth, grad_output, output, grad_products);
  };
  if (start_on_16_bytes(grad_output, output)) {
    with_pack_width<T>(run, start);
  } else {
    start(std::integral_constant<int, 1>{});
  }
}

template void conv_transpose2d_gather(const ConvTranspose2dGeometry&, const float*, const float*,
                                      float*, Stream);
template void conv_transpose2d_gather(const ConvTranspose2dGeometry&, const BFloat16*,
                                      const BFloat16*, BFloat16*, Stream);

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
