#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/exp_f32.h"
#include "kernels/reduce/softmax.h"

namespace mrcnn::cpu {
namespace {

MRCNN_TARGET_CLONES
void exponentials_f32(int64_t count, float shift, const float* __restrict__ input,
                      float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = exp_f32(input[i] - shift);
}

void exponentials_f64(int64_t count, double shift, const double* input, double* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = std::exp(input[i] - shift);
}

int64_t row_grain(int64_t columns) {
  return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, columns));
}

template <typename T, typename Exponentials>
void softmax_rows(int64_t rows, int64_t columns, const T* input, T* output,
                  const Exponentials& exponentials) {
  parallel_for(0, rows, row_grain(columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* x = input + row * columns;
      T* y = output + row * columns;
      exponentials(columns, *std::max_element(x, x + columns), x, y);
      double sum = 0;
      for (int64_t i = 0; i < columns; ++i) sum += static_cast<double>(y[i]);
      const T divisor = static_cast<T>(sum);
      for (int64_t i = 0; i < columns; ++i) y[i] /= divisor;
    }
  });
}

template <typename T>
void softmax_backward_rows(int64_t rows, int64_t columns, const T* grad_output, const T* output,
                           T* grad_input) {
  parallel_for(0, rows, row_grain(columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* g = grad_output + row * columns;
      const T* y = output + row * columns;
      T* result = grad_input + row * columns;
      double sum = 0;
      for (int64_t i = 0; i < columns; ++i) {
        sum += static_cast<double>(g[i]) * static_cast<double>(y[i]);
      }
      const T mean = static_cast<T>(sum);
      for (int64_t i = 0; i < columns; ++i) result[i] = y[i] * (g[i] - mean);
    }
  });
}

}  // namespace

void softmax(int64_t rows, int64_t columns, const float* input, float* output) {
  softmax_rows(rows, columns, input, output, exponentials_f32);
}

void softmax(int64_t rows, int64_t columns, const double* input, double* output) {
  softmax_rows(rows, columns, input, output, exponentials_f64);
}

void softmax_backward(int64_t rows, int64_t columns, const float* grad_output, const float* output,
                      float* grad_input) {
  softmax_backward_rows(rows, columns, grad_output, output, grad_input);
}

void softmax_backward(int64_t rows, int64_t columns, const double* grad_output,
                      const double* output, double* grad_input) {
  softmax_backward_rows(rows, columns, grad_output, output, grad_input);
}

}  // namespace mrcnn::cpu
