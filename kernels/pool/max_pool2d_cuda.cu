#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/element_vector.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/pool/max_pool2d.h"
#include "kernels/pool/max_pool2d_math.h"

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

// The taps of neighbouring channels; 16-byte aligned unless kWidth is 1.
template <int kWidth>
struct Taps {
  int32_t values[kWidth];
};

template <int kWidth>
__device__ Taps<kWidth> load_taps(const int32_t* source) {
  Taps<kWidth> taps;
  constexpr int kStep = kWidth == 1 ? 1 : 4;
#pragma unroll
  for (int first = 0; first < kWidth; first += kStep) {
    const ElementVector<int32_t, kStep> part = load_vector<kStep>(source + first);
#pragma unroll
    for (int k = 0; k < kStep; ++k) taps.values[first + k] = part.values[k];
  }
  return taps;
}

template <int kWidth>
__device__ void store_taps(int32_t* target, const Taps<kWidth>& taps) {
  constexpr int kStep = kWidth == 1 ? 1 : 4;
#pragma unroll
  for (int first = 0; first < kWidth; first += kStep) {
    ElementVector<int32_t, kStep> part;
#pragma unroll
    for (int k = 0; k < kStep; ++k) part.values[k] = taps.values[first + k];
    store_vector<kStep>(target + first, part);
  }
}

// As max_pool2d_kernel, and remembers where.
template <int kWidth, typename T>
__global__ void max_pool2d_taps_kernel(MaxPool2dGeometry geometry, int64_t items,
                                       const T* __restrict__ input, int32_t* __restrict__ taps) {
  const auto& [kernel, stride, padding] = geometry.params;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, pack] = divide(item, geometry.channels / kWidth);
    const auto [row, output_x] = divide(pixel, geometry.output_width);
    const auto [image, output_y] = divide(row, geometry.output_height);
    const int64_t top = output_y * stride[0] - padding[0];
    const int64_t left = output_x * stride[1] - padding[1];
    const Window ys = window_of(output_y, stride[0], padding[0], kernel[0], geometry.height);
    const Window xs = window_of(output_x, stride[1], padding[1], kernel[1], geometry.width);
    const T* const source =
        input + image * geometry.height * geometry.width * geometry.channels + pack * kWidth;
    Pack<kWidth> best;
    Taps<kWidth> where;
    bool is_first = true;
    for (int64_t y = ys.begin; y < ys.end; ++y) {
      for (int64_t x = xs.begin; x < xs.end; ++x) {
        const Pack<kWidth> value =
            load_pack<kWidth>(source + (y * geometry.width + x) * geometry.channels);
        const auto tap = static_cast<int32_t>((y - top) * kernel[1] + x - left);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) {
          const float candidate = value.values[k];
          if (is_first || candidate > best.values[k] || candidate != candidate) {
            best.values[k] = candidate;
            where.values[k] = tap;
          }
        }
        is_first = false;
      }
    }
    store_taps<kWidth>(taps + item * kWidth, where);
  }
}

// One thread per input pixel and pack of channels; it gathers from the windows over the pixel.
template <int kWidth, typename T>
__global__ void max_pool2d_backward_kernel(MaxPool2dGeometry geometry, int64_t items,
                                           const int32_t* __restrict__ taps,
                                           const T* __restrict__ grad_output,
                                           T* __restrict__ grad_input) {
  const auto& [kernel, stride, padding] = geometry.params;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const auto [pixel, pack] = divide(item, geometry.channels / kWidth);
    const auto [row, x] = divide(pixel, geometry.width);
    const auto [image, y] = divide(row, geometry.height);
    const IndexRange ys = windows_over(y, kernel[0], stride[0], padding[0], geometry.output_height);
    const IndexRange xs = windows_over(x, kernel[1], stride[1], padding[1], geometry.output_width);
    Pack<kWidth> sum{};
    for (int64_t output_y = ys.begin; output_y < ys.end; ++output_y) {
      const int64_t ky = y + padding[0] - output_y * stride[0];
      for (int64_t output_x = xs.begin; output_x < xs.end; ++output_x) {
        const int64_t kx = x + padding[1] - output_x * stride[1];
        const int64_t index =
            ((image * geometry.output_height + output_y) * geometry.output_width + output_x) *
                geometry.channels +
            pack * kWidth;
        const auto tap = static_cast<int32_t>(ky * kernel[1] + kx);
        const Taps<kWidth> where = load_taps<kWidth>(taps + index);
        const Pack<kWidth> grad = load_pack<kWidth>(grad_output + index);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) {
          if (where.values[k] == tap) sum.values[k] += grad.values[k];
        }
      }
    }
    store_pack<kWidth>(grad_input + item * kWidth, sum);
  }
}

template <typename T>
void find_taps(const MaxPool2dGeometry& geometry, const T* input, int32_t* taps, Stream stream) {
  const int64_t numel =
      geometry.images * geometry.output_height * geometry.output_width * geometry.channels;
  if (numel == 0) return;
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = numel / width;
    launch("max_pool2d_taps", max_pool2d_taps_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, geometry,
           items, input, taps);
  });
}

template <typename T>
void gather_gradient(const MaxPool2dGeometry& geometry, const int32_t* taps, const T* grad_output,
                     T* grad_input, Stream stream) {
  const int64_t numel = geometry.images * geometry.height * geometry.width * geometry.channels;
  if (numel == 0) return;
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = numel / width;
    launch("max_pool2d_backward", max_pool2d_backward_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, geometry,
           items, taps, grad_output, grad_input);
  });
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

void max_pool2d_taps(const MaxPool2dGeometry& geometry, const float* input, int32_t* taps,
                     Stream stream) {
  find_taps(geometry, input, taps, stream);
}

void max_pool2d_taps(const MaxPool2dGeometry& geometry, const BFloat16* input, int32_t* taps,
                     Stream stream) {
  find_taps(geometry, input, taps, stream);
}

void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const float* grad_output, float* grad_input, Stream stream) {
  gather_gradient(geometry, taps, grad_output, grad_input, stream);
}

void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const BFloat16* grad_output, BFloat16* grad_input, Stream stream) {
  gather_gradient(geometry, taps, grad_output, grad_input, stream);
}

}  // namespace mrcnn::cuda
