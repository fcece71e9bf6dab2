// The checks that every form of the convolution shares.
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn {

// Checks weight, bias and parameters by themselves.
void check_conv2d_weight(const char* op, const Tensor& weight, const Tensor& bias,
                         const Conv2dParams& params);
// Checks input and residual against a checked weight. Returns the output's shape.
Shape check_conv2d_input(const char* op, const Tensor& input, const Tensor& residual,
                         const Shape& weight, DType weight_dtype, const Conv2dParams& params);

}  // namespace mrcnn
