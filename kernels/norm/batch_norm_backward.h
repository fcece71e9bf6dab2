// The passes of batch_norm's gradient, in the order they run. g is the gradient behind the ReLU:
// grad_output through the ReLU of `output`, or all of it where output is null.
#pragma once

#include "core/stream.h"
#include "kernels/norm/batch_norm_math.h"

namespace mrcnn {

namespace cpu {

// partials [chunks, 2, C]: every chunk's sums of g and of g * (input - mean). g is also written to
// grad_residual unless that is null.
template <typename T>
void batch_norm_backward_sums(const BatchNormGeometry& geometry, const T* grad_output,
                              const T* output, const T* input, const T* statistics,
                              T* grad_residual, double* partials);

// coefficients [3, C] (BatchNormSlopes) and the gradients [C] out of the partials.
template <typename T>
void batch_norm_backward_channels(const BatchNormGeometry& geometry, const double* partials,
                                  const T* weight, const T* statistics, T* coefficients,
                                  T* grad_weight, T* grad_bias);

// grad_input [pixels, C], see BatchNormSlopes.
template <typename T>
void batch_norm_backward(const BatchNormGeometry& geometry, const T* grad_output, const T* output,
                         const T* input, const T* statistics, const T* coefficients, T* grad_input);
}  // namespace cpu

namespace cuda {
template <typename T>
void batch_norm_backward_sums(const BatchNormGeometry& geometry, const T* grad_output,
                              const T* output, const T* input, const float* statistics,
                              T* grad_residual, float* partials, Stream stream);
void batch_norm_backward_channels(const BatchNormGeometry& geometry, const float* partials,
                                  const float* weight, const float* statistics, float* coefficients,
                                  float* grad_weight, float* grad_bias, Stream stream);
template <typename T>
void batch_norm_backward(const BatchNormGeometry& geometry, const T* grad_output, const T* output,
                         const T* input, const float* statistics, const float* coefficients,
                         T* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
