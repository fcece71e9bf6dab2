#include <cmath>

#include "core/cuda/device_math.cuh"
#include "core/cuda/division.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/elementwise/relu_math.h"
#include "kernels/norm/batch_norm.cuh"
#include "kernels/norm/frozen_batch_norm.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;        // divides the threads of an SM on every GPU: full occupancy
constexpr int kChannelBlock = 64;  // a few hundred channels of slow f64: over several SMs

__global__ void frozen_batch_norm_affine_kernel(
    int64_t channels, double eps, const float* __restrict__ weight, const float* __restrict__ bias,
    const float* __restrict__ running_mean, const float* __restrict__ running_var,
    float* __restrict__ scale, float* __restrict__ shift) {
  for (int64_t c = first_item(); c < channels; c += item_stride()) {
    const double factor =
        static_cast<double>(weight[c]) / std::sqrt(static_cast<double>(running_var[c]) + eps);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(static_cast<double>(bias[c]) -
                                  static_cast<double>(running_mean[c]) * factor);
  }
}

// One thread per pixel and pack of channels. The constants come from the cache.
template <int kWidth, typename T>
__global__ void frozen_batch_norm_kernel(int64_t items, int64_t packs, bool relu,
                                         const T* __restrict__ input,
                                         const float* __restrict__ scale,
                                         const float* __restrict__ shift,
                                         const T* __restrict__ residual, T* __restrict__ output) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const int64_t channel = divide(item, packs).remainder * kWidth;
    const Pack<kWidth> factor = load_channels<kWidth>(scale + channel);
    const Pack<kWidth> offset = load_channels<kWidth>(shift + channel);
    Pack<kWidth> value = load_pack<kWidth>(input + item * kWidth);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      value.values[k] = value.values[k] * factor.values[k] + offset.values[k];
    }
    if (residual != nullptr) {
      const Pack<kWidth> more = load_pack<kWidth>(residual + item * kWidth);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) value.values[k] += more.values[k];
    }
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      if (relu && value.values[k] < 0.0F) value.values[k] = 0.0F;  // keeps NaN
    }
    store_pack<kWidth>(output + item * kWidth, value);
  }
}

template <int kWidth, typename T>
__global__ void frozen_batch_norm_backward_kernel(
    int64_t items, int64_t packs, const T* __restrict__ grad_output, const T* __restrict__ output,
    const float* __restrict__ scale, T* __restrict__ grad_input, T* __restrict__ grad_residual) {
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    Pack<kWidth> g = load_pack<kWidth>(grad_output + item * kWidth);
    if (output != nullptr) {
      const Pack<kWidth> y = load_pack<kWidth>(output + item * kWidth);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) g.values[k] = relu_gradient(g.values[k], y.values[k]);
    }
    if (grad_residual != nullptr) store_pack<kWidth>(grad_residual + item * kWidth, g);
    if (grad_input == nullptr) continue;
    const Pack<kWidth> factor =
        load_channels<kWidth>(scale + divide(item, packs).remainder * kWidth);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) g.values[k] *= factor.values[k];
    store_pack<kWidth>(grad_input + item * kWidth, g);
  }
}

template <typename T>
void frozen_batch_norm_gradients(int64_t pixels, int64_t channels, const T* grad_output,
                                 const T* output, const float* scale, T* grad_input,
                                 T* grad_residual, Stream stream) {
  if (pixels == 0 || channels == 0) return;
  with_pack_width<T>(channels, [&](auto width) {
    const int64_t packs = channels / width, items = pixels * packs;
    launch("frozen_batch_norm_backward", frozen_batch_norm_backward_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, items,
           packs, grad_output, output, scale, grad_input, grad_residual);
  });
}

template <typename T>
void frozen_batch_norm_pixels(int64_t pixels, int64_t channels, bool relu, const T* input,
                              const float* scale, const float* shift, const T* residual, T* output,
                              Stream stream) {
  if (pixels == 0 || channels == 0) return;
  with_pack_width<T>(channels, [&](auto width) {
    const int64_t packs = channels / width, items = pixels * packs;
    launch("frozen_batch_norm", frozen_batch_norm_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, items,
           packs, relu, input, scale, shift, residual, output);
  });
}

}  // namespace

void frozen_batch_norm_affine(int64_t channels, double eps, const float* weight, const float* bias,
                              const float* running_mean, const float* running_var, float* scale,
                              float* shift, Stream stream) {
  if (channels == 0) return;
  launch(
      "frozen_batch_norm_affine", frozen_batch_norm_affine_kernel,
      {.grid = blocks_for(channels, kChannelBlock), .block = dim3(kChannelBlock), .stream = stream},
      channels, eps, weight, bias, running_mean, running_var, scale, shift);
}

void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const float* input,
                       const float* scale, const float* shift, const float* residual, float* output,
                       Stream stream) {
  frozen_batch_norm_pixels(pixels, channels, relu, input, scale, shift, residual, output, stream);
}

void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const BFloat16* input,
                       const float* scale, const float* shift, const BFloat16* residual,
                       BFloat16* output, Stream stream) {
  frozen_batch_norm_pixels(pixels, channels, relu, input, scale, shift, residual, output, stream);
}

void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const float* grad_output,
                                const float* output, const float* scale, float* grad_input,
                                float* grad_residual, Stream stream) {
  frozen_batch_norm_gradients(pixels, channels, grad_output, output, scale, grad_input,
                              grad_residual, stream);
}

void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const BFloat16* grad_output,
                                const BFloat16* output, const float* scale, BFloat16* grad_input,
                                BFloat16* grad_residual, Stream stream) {
  frozen_batch_norm_gradients(pixels, channels, grad_output, output, scale, grad_input,
                              grad_residual, stream);
}

}  // namespace mrcnn::cuda
