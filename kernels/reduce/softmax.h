// softmax: exponentials of the last axis, scaled to add up to 1.
//   input   [..., K]  float; on a GPU f32 or bf16
//   returns [..., K]: exp(x - max) / sum of exp(x - max), type and device of input
// A row with NaN or +inf, or of -inf only, becomes NaN throughout. f32 uses exp_f32.h and adds up
// in f64 from left to right; a GPU adds up in f32 in another fixed order and rounds bf16 once.
// Gradient: input, computed from the result y: y * (grad - sum of grad * y over the row), the sum
// as above. Deterministic: yes, f32 gives the same bits on every CPU.  Syncs host: no.  Capturable:
// yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor softmax(const Tensor& input);

namespace cpu {
// input, output [rows, columns]
void softmax(int64_t rows, int64_t columns, const float* input, float* output);
void softmax(int64_t rows, int64_t columns, const double* input, double* output);
// grad_output, output, grad_input [rows, columns]
void softmax_backward(int64_t rows, int64_t columns, const float* grad_output, const float* output,
                      float* grad_input);
void softmax_backward(int64_t rows, int64_t columns, const double* grad_output,
                      const double* output, double* grad_input);
}  // namespace cpu

namespace cuda {
// input, output [rows, columns]
void softmax(int64_t rows, int64_t columns, const float* input, float* output, Stream stream);
void softmax(int64_t rows, int64_t columns, const BFloat16* input, BFloat16* output, Stream stream);
// grad_output, output, grad_input [rows, columns]
void softmax_backward(int64_t rows, int64_t columns, const float* grad_output, const float* output,
                      float* grad_input, Stream stream);
void softmax_backward(int64_t rows, int64_t columns, const BFloat16* grad_output,
                      const BFloat16* output, BFloat16* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
