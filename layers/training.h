// Layers as they compute in training: with the weights of this step, recorded for gradients.
#pragma once

#include "core/tensor.h"
#include "layers/execution.h"
#include "layers/fused_conv2d.h"
#include "layers/linear.h"

namespace mrcnn {

// relu?(norm(conv(input)) + residual). A frozen norm is folded into the weight and the bias,
// through which the weight still gets its gradient; kBatch normalises with the statistics of this
// batch and updates the running ones. The weight is rounded to the type of the activations in this
// step; the parameter stays f32.
// labels: of the input's rows, where these are RoIs; those with a negative one are unused and stay
// out of the statistics (kernels/norm/batch_norm.h).
Tensor train_conv(const ConvNorm& layers, const Tensor& input, bool relu,
                  const Execution& execution, const Tensor& residual = {},
                  const Tensor& labels = {});

Tensor train_linear(const Linear& layer, const Tensor& input, bool relu,
                    const Execution& execution);

// A weight in the type that the activations have: itself, or recorded as rounded to bf16.
Tensor train_weight(const Tensor& weight, const Execution& execution);

}  // namespace mrcnn
