#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/shape/upsample_nearest_add.h"
#include "kernels/shape/upsample_nearest_add_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

struct Scale {
  float y;
  float x;
};

// One thread per fine pixel and pack of channels.
template <int kWidth, typename T>
__global__ void upsample_nearest_add_kernel(UpsampleGeometry geometry, Scale scale, int64_t items,
                                            const T* __restrict__ coarse,
                                            const T* __restrict__ fine, T* __restrict__ output) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, pack] = divide(item, geometry.channels / kWidth);
    const auto [row, x] = divide(pixel, geometry.width);
    const auto [image, y] = divide(row, geometry.height);
    const int64_t coarse_y = upsample_source(y, scale.y, geometry.coarse_height);
    const int64_t coarse_x = upsample_source(x, scale.x, geometry.coarse_width);
    const int64_t coarse_pixel =
        (image * geometry.coarse_height + coarse_y) * geometry.coarse_width + coarse_x;
    const Pack<kWidth> above =
        load_pack<kWidth>(coarse + coarse_pixel * geometry.channels + pack * kWidth);
    Pack<kWidth> sum = load_pack<kWidth>(fine + item * kWidth);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) sum.values[k] += above.values[k];
    store_pack<kWidth>(output + item * kWidth, sum);
  }
}

// One thread per coarse pixel and pack of channels; it gathers from the fine pixels that took it.
template <int kWidth, typename T>
__global__ void upsample_nearest_backward_kernel(UpsampleGeometry geometry, Scale scale,
                                                 int64_t items, const T* __restrict__ grad_output,
                                                 T* __restrict__ grad_coarse) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, pack] = divide(item, geometry.channels / kWidth);
    const auto [row, coarse_x] = divide(pixel, geometry.coarse_width);
    const auto [image, coarse_y] = divide(row, geometry.coarse_height);
    const auto first_row = [&](int64_t i) {
      return upsample_first(i, scale.y, geometry.coarse_height, geometry.height);
    };
    const auto first_column = [&](int64_t i) {
      return upsample_first(i, scale.x, geometry.coarse_width, geometry.width);
    };
    const int64_t y_end = first_row(coarse_y + 1), x_begin = first_column(coarse_x),
                  x_end = first_column(coarse_x + 1);
    Pack<kWidth> sum{};
    for (int64_t y = first_row(coarse_y); y < y_end; ++y) {
      for (int64_t x = x_begin; x < x_end; ++x) {
        const int64_t fine_pixel = (image * geometry.height + y) * geometry.width + x;
        const Pack<kWidth> grad =
            load_pack<kWidth>(grad_output + fine_pixel * geometry.channels + pack * kWidth);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) sum.values[k] += grad.values[k];
      }
    }
    store_pack<kWidth>(grad_coarse + item * kWidth, sum);
  }
}

Scale scale_of(const UpsampleGeometry& geometry) {
  return {.y = upsample_scale(geometry.coarse_height, geometry.height),
          .x = upsample_scale(geometry.coarse_width, geometry.width)};
}

template <typename T>
void upsample_nearest_backward_maps(const UpsampleGeometry& geometry, const T* grad_output,
                                    T* grad_coarse, Stream stream) {
  const int64_t numel =
      geometry.images * geometry.coarse_height * geometry.coarse_width * geometry.channels;
  if (numel == 0) return;
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = numel / width;
    launch("upsample_nearest_backward", upsample_nearest_backward_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, geometry,
           scale_of(geometry), items, grad_output, grad_coarse);
  });
}

template <typename T>
void upsample_nearest_add_maps(const UpsampleGeometry& geometry, const T* coarse, const T* fine,
                               T* output, Stream stream) {
  const int64_t numel = geometry.images * geometry.height * geometry.width * geometry.channels;
  if (numel == 0) return;
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = numel / width;
    launch("upsample_nearest_add", upsample_nearest_add_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, geometry,
           scale_of(geometry), items, coarse, fine, output);
  });
}

}  // namespace

void upsample_nearest_add(const UpsampleGeometry& geometry, const float* coarse, const float* fine,
                          float* output, Stream stream) {
  upsample_nearest_add_maps(geometry, coarse, fine, output, stream);
}

void upsample_nearest_add(const UpsampleGeometry& geometry, const BFloat16* coarse,
                          const BFloat16* fine, BFloat16* output, Stream stream) {
  upsample_nearest_add_maps(geometry, coarse, fine, output, stream);
}

void upsample_nearest_backward(const UpsampleGeometry& geometry, const float* grad_output,
                               float* grad_coarse, Stream stream) {
  upsample_nearest_backward_maps(geometry, grad_output, grad_coarse, stream);
}

void upsample_nearest_backward(const UpsampleGeometry& geometry, const BFloat16* grad_output,
                               BFloat16* grad_coarse, Stream stream) {
  upsample_nearest_backward_maps(geometry, grad_output, grad_coarse, stream);
}

}  // namespace mrcnn::cuda
