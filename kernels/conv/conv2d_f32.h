// conv2d and its gradients in f32 on the CPU with a weight that is used once: the algorithms and
// which one runs.
//   3x3, stride 1, padding 1, multiples of 16 channels, enough pixels: Winograd in all three passes
//   (winograd.h, winograd_weight_gradient.h), unless strict_convolution()
//   else forward and data gradient are oneDNN's, the weight gradient is conv2d_weight_gradient.h
//   gradients where few pixels of grad_output are not 0: conv2d_sparse_gradient.h
// The weight is packed per call; oneDNN's operations are compiled once per size (onednn_cache.h).
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn::cpu {

// Shapes and types are the caller's promise; results are overwritten and not empty.
void conv2d_f32(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const Tensor& residual, const Conv2dParams& params, const Tensor& output);
void conv2d_grad_input_f32(const Tensor& grad_output, const Tensor& weight,
                           const Conv2dParams& params, const Tensor& grad_input);
void conv2d_grad_weight_f32(const Tensor& grad_output, const Tensor& input,
                            const Conv2dParams& params, const Tensor& grad_weight);

}  // namespace mrcnn::cpu
