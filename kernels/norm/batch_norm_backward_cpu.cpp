#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/relu_math.h"
#include "kernels/norm/batch_norm_backward.h"
#include "kernels/norm/batch_norm_cpu.h"

namespace mrcnn::cpu {
namespace {

// Adds g and g * (input - mean) to the sums. g is written to grad_residual if there is one.
template <typename T>
inline __attribute__((always_inline)) void add_gradients_loop(
    int64_t pixels, int64_t channels, const T* __restrict__ grad_output,
    const T* __restrict__ output, const T* __restrict__ input, const T* __restrict__ mean,
    T* __restrict__ grad_residual, T* __restrict__ first, T* __restrict__ second) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const T* g = grad_output + pixel * channels;
    const T* x = input + pixel * channels;
    if (output != nullptr) {
      const T* y = output + pixel * channels;
      if (grad_residual != nullptr) {
        T* masked = grad_residual + pixel * channels;
        for (int64_t c = 0; c < channels; ++c) masked[c] = relu_gradient(g[c], y[c]);
        g = masked;
      } else {
        for (int64_t c = 0; c < channels; ++c) {
          const T masked = relu_gradient(g[c], y[c]);
          first[c] += masked;
          second[c] += masked * (x[c] - mean[c]);
        }
        continue;
      }
    }
    for (int64_t c = 0; c < channels; ++c) {
      first[c] += g[c];
      second[c] += g[c] * (x[c] - mean[c]);
    }
  }
}

template <typename T>
inline __attribute__((always_inline)) void input_gradient_loop(
    int64_t pixels, int64_t channels, const T* __restrict__ grad_output,
    const T* __restrict__ output, const T* __restrict__ input, const T* __restrict__ mean,
    const T* __restrict__ coefficients, T* __restrict__ grad_input) {
  const T* gain = coefficients;
  const T* slope = coefficients + channels;
  const T* offset = coefficients + 2 * channels;
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const T* g = grad_output + pixel * channels;
    const T* x = input + pixel * channels;
    T* result = grad_input + pixel * channels;
    if (output != nullptr) {
      const T* y = output + pixel * channels;
      for (int64_t c = 0; c < channels; ++c) {
        result[c] = gain[c] * relu_gradient(g[c], y[c]) + (slope[c] * (x[c] - mean[c]) + offset[c]);
      }
    } else {
      for (int64_t c = 0; c < channels; ++c) {
        result[c] = gain[c] * g[c] + (slope[c] * (x[c] - mean[c]) + offset[c]);
      }
    }
  }
}

MRCNN_TARGET_CLONES
void add_gradients(int64_t pixels, int64_t channels, const float* grad_output, const float* output,
                   const float* input, const float* mean, float* grad_residual, float* first,
                   float* second) {
  add_gradients_loop(pixels, channels, grad_output, output, input, mean, grad_residual, first,
                     second);
}
void add_gradients(int64_t pixels, int64_t channels, const double* grad_output,
                   const double* output, const double* input, const double* mean,
                   double* grad_residual, double* first, double* second) {
  add_gradients_loop(pixels, channels, grad_output, output, input, mean, grad_residual, first,
                     second);
}

MRCNN_TARGET_CLONES
void input_gradient(int64_t pixels, int64_t channels, const float* grad_output, const float* output,
                    const float* input, const float* mean, const float* coefficients,
                    float* grad_input) {
  input_gradient_loop(pixels, channels, grad_output, output, input, mean, coefficients, grad_input);
}
void input_gradient(int64_t pixels, int64_t channels, const double* grad_output,
                    const double* output, const double* input, const double* mean,
                    const double* coefficients, double* grad_input) {
  input_gradient_loop(pixels, channels, grad_output, output, input, mean, coefficients, grad_input);
}

template <typename T>
T* offset_or_null(T* pointer, int64_t offset) {
  return pointer == nullptr ? nullptr : pointer + offset;
}

}  // namespace

template <typename T>
void batch_norm_backward_sums(const BatchNormGeometry& geometry, const T* grad_output,
                              const T* output, const T* input, const T* statistics,
                              T* grad_residual, double* partials) {
  const int64_t channels = geometry.channels;
  parallel_for(0, geometry.chunks, 1, [&](int64_t chunk, int64_t) {
    double* sums = partials + chunk * 2 * channels;
    sum_chunk<T>(geometry, chunk, sums, [&](int64_t pixel, int64_t count, T* block) {
      const int64_t offset = pixel * channels;
      add_gradients(count, channels, grad_output + offset, offset_or_null(output, offset),
                    input + offset, statistics, offset_or_null(grad_residual, offset), block,
                    block + channels);
    });
  });
}

template <typename T>
void batch_norm_backward_channels(const BatchNormGeometry& geometry, const double* partials,
                                  const T* weight, const T* statistics, T* coefficients,
                                  T* grad_weight, T* grad_bias) {
  const int64_t channels = geometry.channels;
  const double pixels = all_counted_pixels(geometry);
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, dot = 0;
    for (int64_t chunk = 0; chunk < geometry.chunks; ++chunk) {
      sum += partials[2 * chunk * channels + c];
      dot += partials[(2 * chunk + 1) * channels + c];
    }
    const auto inverse_deviation = static_cast<double>(statistics[channels + c]);
    const BatchNormSlopes slopes =
        batch_norm_slopes(static_cast<double>(weight[c]), inverse_deviation, sum, dot, pixels);
    coefficients[c] = static_cast<T>(slopes.gain);
    coefficients[channels + c] = static_cast<T>(slopes.slope);
    coefficients[2 * channels + c] = static_cast<T>(slopes.offset);
    grad_weight[c] = static_cast<T>(dot * inverse_deviation);
    grad_bias[c] = static_cast<T>(sum);
  }
}

template <typename T>
void batch_norm_backward(const BatchNormGeometry& geometry, const T* grad_output, const T* output,
                         const T* input, const T* statistics, const T* coefficients,
                         T* grad_input) {
  const int64_t channels = geometry.channels;
  parallel_for(0, geometry.pixels, geometry.chunk_pixels, [&](int64_t begin, int64_t end) {
    const int64_t offset = begin * channels;
    input_gradient(end - begin, channels, grad_output + offset, offset_or_null(output, offset),
                   input + offset, statistics, coefficients, grad_input + offset);
  });
  if (geometry.labels == nullptr) return;
  const int64_t row_values = geometry.row_pixels * channels;
  for (int64_t row = 0; row * geometry.row_pixels < geometry.pixels; ++row) {
    if (geometry.labels[row] < 0) std::fill_n(grad_input + row * row_values, row_values, T(0));
  }
}

template void batch_norm_backward_sums(const BatchNormGeometry&, const float*, const float*,
                                       const float*, const float*, float*, double*);
template void batch_norm_backward_sums(const BatchNormGeometry&, const double*, const double*,
                                       const double*, const double*, double*, double*);
template void batch_norm_backward_channels(const BatchNormGeometry&, const double*, const float*,
                                           const float*, float*, float*, float*);
template void batch_norm_backward_channels(const BatchNormGeometry&, const double*, const double*,
                                           const double*, double*, double*, double*);
template void batch_norm_backward(const BatchNormGeometry&, const float*, const float*,
                                  const float*, const float*, const float*, float*);
template void batch_norm_backward(const BatchNormGeometry&, const double*, const double*,
                                  const double*, const double*, const double*, double*);

}  // namespace mrcnn::cpu
