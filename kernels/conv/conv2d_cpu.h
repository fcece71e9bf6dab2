// The plain f64 loop of conv2d: slow, obvious, the reference that the fast paths are tested with.
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn::cpu {

void conv2d_plain(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& residual, const Conv2dParams& params, const Tensor& output);

}  // namespace mrcnn::cpu
