// A convolution and its gradients on a GPU: a 1x1 convolution without stride is a matrix
// product (kernels/linalg/gemm_plan.h), the others are the library's (convolution_plan.h).
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn {

// weight and output are checked and lie on a GPU; weight f32 or bf16, bias f32 or undefined, the
// other tensors of weight's type.
void run_conv2d_on_device(const Tensor& input, const Tensor& weight, const Tensor& bias,
                          const Tensor& residual, const Conv2dParams& params, const Tensor& output);

// All tensors of one type, f32 or bf16, checked, and none empty. The result is overwritten.
void run_conv2d_grad_input_on_device(const Tensor& grad_output, const Tensor& weight,
                                     const Conv2dParams& params, const Tensor& grad_input);
void run_conv2d_grad_weight_on_device(const Tensor& grad_output, const Tensor& input,
                                      const Conv2dParams& params, const Tensor& grad_weight);

}  // namespace mrcnn
