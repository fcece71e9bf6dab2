// sigmoid: 1 / (1 + exp(-x)) of every element.
//   input   [...]  float; on a GPU f32 or bf16
//   returns [...]  in [0, 1]; NaN stays NaN; type and device of input
// f32 uses exp_f32.h, within 4 units in the last place for normal results; bf16 is computed in f32
// and rounded once.
// Gradient: input, computed from the result.
// Deterministic: yes, f32 gives the same bits on every machine.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor sigmoid(const Tensor& input);

namespace cpu {
void sigmoid(int64_t count, const float* input, float* output);
void sigmoid(int64_t count, const double* input, double* output);
void sigmoid_backward(int64_t count, const float* grad_output, const float* output,
                      float* grad_input);
void sigmoid_backward(int64_t count, const double* grad_output, const double* output,
                      double* grad_input);
}  // namespace cpu

namespace cuda {
void sigmoid(int64_t count, const float* input, float* output, Stream stream);
void sigmoid(int64_t count, const BFloat16* input, BFloat16* output, Stream stream);
void sigmoid_backward(int64_t count, const float* grad_output, const float* output,
                      float* grad_input, Stream stream);
void sigmoid_backward(int64_t count, const BFloat16* grad_output, const BFloat16* output,
                      BFloat16* grad_input, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
