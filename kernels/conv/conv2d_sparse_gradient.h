// The gradients of conv2d in f32 on the CPU where most pixels of grad_output are 0 in all channels:
// only the others are read. So it is below a loss on a few sampled positions of a map: the RPN's
// head is a convolution of all levels, of which 256 anchors per image have a loss.
//   data gradient    [pixels, O] * weight [O, KH*KW*C], added up where the patches overlap
//   weight gradient  [pixels, O]^T * patches of the input [pixels, KH*KW*C]
// A value of the input or the weight that is not finite does not spread through a zero.
// Bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "kernels/conv/conv2d.h"

namespace mrcnn::cpu {

// The pixels of grad_output [N, OH, OW, O] f32 that hold a value other than 0, ascending, counted
// in the order of memory; nothing if there are more than a sixteenth of all, where the other
// algorithms are as good.
std::optional<std::vector<int64_t>> few_nonzero_pixels(const Tensor& grad_output);

// As conv2d_grad_input_f32 and conv2d_grad_weight_f32; pixels: of few_nonzero_pixels(grad_output).
void sparse_grad_input(const std::vector<int64_t>& pixels, const Tensor& grad_output,
                       const Tensor& weight, const Conv2dParams& params, const Tensor& grad_input);
void sparse_grad_weight(const std::vector<int64_t>& pixels, const Tensor& grad_output,
                        const Tensor& input, const Conv2dParams& params, const Tensor& grad_weight);

}  // namespace mrcnn::cpu
