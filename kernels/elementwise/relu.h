// relu: max(0, x) of every element.
//   input   [...]  float; on a GPU f32 or bf16
//   returns [...]  type and device of input
// NaN stays NaN; -0 stays -0, as both are allowed answers and the comparison is cheaper.
// Gradient: input; it passes where the result is positive or NaN, not at 0 (relu_math.h).
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor relu(const Tensor& input);

// The gradient of a ReLU's input from its output; for ops that end in a ReLU too.
Tensor relu_backward(const Tensor& grad_output, const Tensor& output);

namespace cpu {
void relu(int64_t count, const float* input, float* output);
void relu(int64_t count, const double* input, double* output);
void relu_backward(int64_t count, const float* grad_output, const float* output, float* grad_input);
void relu_backward(int64_t count, const double* grad_output, const double* output,
                   double* grad_input);
}  // namespace cpu

namespace cuda {
void relu(int64_t count, const float* input, float* output, Stream stream);
void relu(int64_t count, const BFloat16* input, BFloat16* output, Stream stream);
void relu_backward(int64_t count, const float* grad_output, const float* output, float* grad_input,
                   Stream stream);
void relu_backward(int64_t count, const BFloat16* grad_output, const BFloat16* output,
                   BFloat16* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
