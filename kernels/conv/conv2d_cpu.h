// The plain f64 loops of conv2d and its gradients: slow, obvious, the reference that the fast paths
// are tested with.
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn::cpu {

void conv2d_plain(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& residual, const Conv2dParams& params, const Tensor& output);
void conv2d_grad_input_plain(const Tensor& grad_output, const Tensor& weight,
                             const Conv2dParams& params, const Tensor& grad_input);
// f64, or f32 for a CPU without AVX2; sums are f64.
void conv2d_grad_weight_plain(const Tensor& grad_output, const Tensor& input,
                              const Conv2dParams& params, const Tensor& grad_weight);

}  // namespace mrcnn::cpu
