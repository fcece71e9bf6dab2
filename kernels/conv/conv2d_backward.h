// conv2d_backward: the gradients of conv2d by its input and its weight, each a function of its own,
// so that one which nobody asks for costs nothing.
//   grad_output  [N, OH, OW, O]     f32 or f64; on a GPU f32 or bf16
//   input        [N, H, W, C]       type and device of grad_output, as every tensor here
//   weight       [O, KH, KW, C]
// conv2d_grad_input(y, x, k, c)  = sum of grad_output * weight over all outputs that read the pixel
// conv2d_grad_weight(o, y, x, c) = sum of grad_output * input over all images and output pixels
// That of the bias is sum_rows (kernels/reduce/sum_rows.h), that behind a ReLU relu_backward
// (kernels/elementwise/relu.h). An empty batch gives zeros.
// Gradient: none.  Accumulates in the tensors' type, bf16 in f32.
// Deterministic: yes, for a given CPU or GPU type and sizes, whatever the number of threads.
// Syncs host: no.  Capturable: after a first run with the same sizes outside the capture.
// f64 is a plain loop, the oracle of the tests. What f32 runs is in conv2d_f32.h; a GPU runs cuDNN
// (convolution_plan.h).
#pragma once

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn {

// params.relu is ignored: the gradient is that of the sum in front of the ReLU.
Tensor conv2d_grad_input(const Tensor& grad_output, const Tensor& weight, const Shape& input,
                         const Conv2dParams& params);
Tensor conv2d_grad_weight(const Tensor& grad_output, const Tensor& input, const Shape& weight,
                          const Conv2dParams& params);

}  // namespace mrcnn
