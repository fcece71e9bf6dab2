// The weight gradient of any f32 convolution on the CPU, as one product: grad_output^T [O, pixels]
// times the patches [pixels, KH * KW * C] that the output pixels saw.
//   input        [N, H, W, C]
//   grad_output  [N, OH, OW, O]
//   grad_weight  [O, KH, KW, C], overwritten
// The pixels are cut into parts with sums of their own, which are added at the end. A thread copies
// a chunk of a part's pixels of both sides, adds the chunk's product, and so on. oneDNN has the
// same operation; it is slower on channels-last tensors and splits the sum over its threads.
// Deterministic: yes; parts and chunks depend on the sizes only.
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/winograd_kernels.h"

namespace mrcnn::cpu {

void conv2d_weight_gradient(const Tensor& input, const Tensor& grad_output,
                            const Conv2dParams& params, const WinogradKernels& kernels,
                            const Tensor& grad_weight);

}  // namespace mrcnn::cpu
