// The weight gradient of a 3x3 convolution with stride 1 and padding 1 by the adjoint of the
// Winograd convolution F(4x4, 3x3), with 4 times fewer multiplications than the definition.
//   input        [N, H, W, C] f32    C and O multiples of 16
//   grad_output  [N, H, W, O]
//   grad_weight  [O, 3, 3, C], overwritten
// In each of the 36 transformed positions the gradient of the filters is a product of [O, tiles]
// with [tiles, C]. Tiles go through in chunks: transform both sides, then add the chunk's products.
// Deterministic: yes; chunks depend on the sizes only, so the result does not depend on the number
// of threads.
// Source: the derivative of the bilinear form in Lavin and Gray, 2016, sec. 4.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "kernels/conv/winograd_kernels.h"

namespace mrcnn::cpu {

void winograd_weight_gradient(const Tensor& input, const Tensor& grad_output,
                              const WinogradKernels& kernels, const Tensor& grad_weight);

}  // namespace mrcnn::cpu
