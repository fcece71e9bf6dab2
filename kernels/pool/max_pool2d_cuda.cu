#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/pool/max_pool2d.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// The rows or columns of the input that one window covers: the range of its pixels, never empty.
struct Window {
  int64_t begin;
  int64_t end;
};

__device__ Window window_of(int64_t output_index, int64_t stride, int64_t padding, int64_t kernel,
                            int64_t extent) {
  const int64_t first = output_index * stride - padding;
  return {max(first, int64_t{0}), min(first + kernel, extent)};
}

// One thread per output pixel and pack of channels: a warp reads neighbouring packs of one pixel,
// then of the next. Windows overlap in the cache.
template <int kWidth, typename T>
__global__ void max_pool2d_kernel(MaxPool2dGeometry geometry, int64_t items,
                                  const T* __restrict__ input, T* __restrict__ output) {
  const auto& [kernel, stride, padding] = geometry.params;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, pack] = divide(item, geometry.channels / kWidth);
    const auto [row, output_x] = divide(pixel, geometry.output_width);
    const auto [image, output_y] = divide(row, geometry.output_height);
    const Window ys = window_of(output_y, stride[0], padding[0], kernel[0], geometry.height);
    const Window xs = window_of(output_x, stride[1], padding[1], kernel[1], geometry.width);
    const T* const source =
        input + image * geometry.height * geometry.width * geometry.channels + pack * kWidth;
    const auto load = [&](int64_t y, int64_t x) {
      return load_pack<kWidth>(source + (y * geometry.width + x) * geometry.channels);
    };
    Pack<kWidth> best = load(ys.begin, xs.begin);
    for (int64_t y = ys.begin; y < ys.end; ++y) {
      for (int64_t x = xs.begin; x < xs.end; ++x) {
        const Pack<kWidth> value = load(y, x);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) {
          const float candidate = value.values[k];  // NaN wins and stays
          if (candidate > best.values[k] || candidate != candidate) best.values[k] = candidate;
        }
      }
    }
    store_pack<kWidth>(output + item * kWidth, best);
  }
}

template <typename T>
void max_pool2d_windows(const MaxPool2dGeometry& geometry, const T* input, T* output,
                        Stream stream) {
  const int64_t numel =
      geometry.images * geometry.output_height * geometry.output_width * geometry.channels;
  if (numel == 0) return;
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = numel / width;
    launch("max_pool2d", max_pool2d_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, geometry,
           items, input, output);
  });
}

}  // namespace

void max_pool2d(const MaxPool2dGeometry& geometry, const float* input, float* output,
                Stream stream) {
  max_pool2d_windows(geometry, input, output, stream);
}

void max_pool2d(const MaxPool2dGeometry& geometry, const BFloat16* input, BFloat16* output,
                Stream stream) {
  max_pool2d_windows(geometry, input, output, stream);
}

}  // namespace mrcnn::cuda
