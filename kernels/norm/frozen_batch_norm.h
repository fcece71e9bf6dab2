// frozen_batch_norm: batch normalisation with fixed statistics, then a residual, then ReLU, in one
// pass. Any batch normalisation is this in inference, where it uses its running statistics.
//   input    [..., C]  float; on a GPU f32 or bf16
//   bn       4 x [C]   f32 or f64; on a GPU f32
//   residual [..., C]  shape and type of input, or undefined
//   returns  [..., C]: max(0, input * scale + shift + residual), each part optional
// All on one device. scale and shift are computed in double (batch_norm_affine.h) and rounded to
// the input's type, for bf16 to f32, in which it computes and rounds once at the end. NaN passes
// through the ReLU. fold_batch_norm.h does the same inside a convolution's weights.
// Gradient: input, residual; the four tensors of bn are constants.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 ops/misc.py FrozenBatchNorm2d.
#pragma once

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/norm/batch_norm_affine.h"

namespace mrcnn {

struct FrozenBatchNormParams {
  Tensor residual = {};  // added before the ReLU
  bool relu = false;
};

Tensor frozen_batch_norm(const Tensor& input, const BatchNormConstants& bn,
                         const FrozenBatchNormParams& params = {});

namespace cpu {
// input, residual (or null), output [pixels, channels]; scale, shift [channels]
void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const float* input,
                       const float* scale, const float* shift, const float* residual,
                       float* output);
void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const double* input,
                       const double* scale, const double* shift, const double* residual,
                       double* output);
// g is grad_output through the ReLU of `output`, or all of it where output is null: g * scale goes
// to grad_input, g to grad_residual. Each of the two may be null.
void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const float* grad_output,
                                const float* output, const float* scale, float* grad_input,
                                float* grad_residual);
void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const double* grad_output,
                                const double* output, const double* scale, double* grad_input,
                                double* grad_residual);
}  // namespace cpu

namespace cuda {
// weight, bias, running_mean, running_var, scale, shift [channels]
void frozen_batch_norm_affine(int64_t channels, double eps, const float* weight, const float* bias,
                              const float* running_mean, const float* running_var, float* scale,
                              float* shift, Stream stream);
// input, residual (or null), output [pixels, channels]; scale, shift [channels]
void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const float* input,
                       const float* scale, const float* shift, const float* residual, float* output,
                       Stream stream);
void frozen_batch_norm(int64_t pixels, int64_t channels, bool relu, const BFloat16* input,
                       const float* scale, const float* shift, const BFloat16* residual,
                       BFloat16* output, Stream stream);
void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const float* grad_output,
                                const float* output, const float* scale, float* grad_input,
                                float* grad_residual, Stream stream);
void frozen_batch_norm_backward(int64_t pixels, int64_t channels, const BFloat16* grad_output,
                                const BFloat16* output, const float* scale, BFloat16* grad_input,
                                BFloat16* grad_residual, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
