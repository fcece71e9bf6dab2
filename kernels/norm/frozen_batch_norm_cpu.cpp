#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/relu_math.h"
#include "kernels/norm/frozen_batch_norm.h"

namespace mrcnn::cpu {
namespace {

// The four combinations of residual and ReLU are separate loops so that each vectorises.
template <typename T>
inline __attribute__((always_inline)) void affine_pixels(int64_t pixels, int64_t channels,
                                                         bool relu, const T* __restrict__ input,
                                                         const T* __restrict__ scale,
                                                         const T* __restrict__ shift,
                                                         const T* __restrict__ residual,
                                                         T* __restrict__ output) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const T* x = input + pixel * channels;
    T* y = output + pixel * channels;
    if (residual != nullptr) {
      const T* r = residual + pixel * channels;
      for (int64_t c = 0; c < channels; ++c) y[c] = x[c] * scale[c] + shift[c] + r[c];
    } else {
      for (int64_t c = 0; c < channels; ++c) y[c] = x[c] * scale[c] + shift[c];
    }
    if (!relu) continue;
    for (int64_t c = 0; c < channels; ++c) y[c] = y[c] < T(0) ? T(0) : y[c];  // keeps NaN
  }
}

MRCNN_TARGET_CLONES
void affine_pixels_f32(int64_t pixels, int64_t channels, bool relu, const float* input,
                       const float* scale, const float* shift, const float* residual,
                       float* output) {
  affine_pixels(pixels, channels, relu, input, scale, shift, residual, output);
}

template <typename T>
inline __attribute__((always_inline)) void gradient_pixels(int64_t pixels, int64_t channels,
                                                           const T* __restrict__ grad_output,
                                                           const T* __restrict__ output,
                                                           const T* __restrict__ scale,
                                                           T* __restrict__ grad_input,
                                                           T* __restrict__ grad_residual) {
  for (int64_t offset = 0; offset < pixels * channels; offset += channels) {
    const T* g = grad_output + offset;
    if (output != nullptr && grad_residual != nullptr) {
      const T* y = output + offset;
      T* masked = grad_residual + offset;
      for (int64_t c = 0; c < channels; ++c) masked[c] = relu_gradient(g[c], y[c]);
      g = masked;
    }
    if (grad_input == nullptr) continue;
    T* x = grad_input + offset;
    if (output != nullptr && grad_residual == nullptr) {
      const T* y = output + offset;
      for (int64_t c = 0; c < channels; ++c) x[c] = relu_gradient(g[c], y[c]) * scale[c];
    } else {
      for (int64_t c = 0; c < channels; ++c) x[c] = g[c] * scale[c];
    }
  }
}

MRCNN_TARGET_CLONES
void gradient_pixels_f32(int64_t pixels, int64_t channels, const float* grad_output,
                         const float* output, const float* scale, float* grad_input,
                         float* grad_residual) {
  gradient_pixels(pixels, channels, grad_output, output, scale, grad_input, grad_residual);
}

template <typename T>
T* offset_or_null(T* pointer, int64_t offset) {
  return pointer == nullptr ? nullptr : pointer + offset;
}

// Calls rows(offset, pixels) for blocks of about 64 KiB, so that a block's ReLU pass hits the
// cache.
template <typename T, typename Rows>
void for_each_block(int64_t pixels, int64_t channels, const Rows& rows) {
  const int64_t grain =
      std::max<int64_t>(1, 65536 / std::max<int64_t>(1, channels * int64_t{sizeof(T)}));
  parallel_for(0, pixels, grain,
               [&](int64_t begin, int64_t end) { rows(begin * channels, end - begin); });
}

}  // namespace

void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const float* input,
                       const float* scale, const float* shift, const float* residual,
                       float* output) {
  for_each_block<float>(pixels, channels, [&](int64_t offset, int64_t count) {
    affine_pixels_f32(count, channels, relu, input + offset, scale, shift,
                      residual == nullptr ? nullptr : residual + offset, output + offset);
  });
}

void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const double* input,
                       const double* scale, const double* shift, const double* residual,
                       double* output) {
  for_each_block<double>(pixels, channels, [&](int64_t offset, int64_t count) {
    affine_pixels(count, channels, relu, input + offset, scale, shift,
                  residual == nullptr ? nullptr : residual + offset, output + offset);
  });
}

void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const float* grad_output,
                                const float* output, const float* scale, float* grad_input,
                                float* grad_residual) {
  for_each_block<float>(pixels, channels, [&](int64_t offset, int64_t count) {
    gradient_pixels_f32(count, channels, grad_output + offset, offset_or_null(output, offset),
                        scale, offset_or_null(grad_input, offset),
                        offset_or_null(grad_residual, offset));
  });
}

void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const double* grad_output,
                                const double* output, const double* scale, double* grad_input,
                                double* grad_residual) {
  for_each_block<double>(pixels, channels, [&](int64_t offset, int64_t count) {
    gradient_pixels(count, channels, grad_output + offset, offset_or_null(output, offset), scale,
                    offset_or_null(grad_input, offset), offset_or_null(grad_residual, offset));
  });
}

}  // namespace mrcnn::cpu
