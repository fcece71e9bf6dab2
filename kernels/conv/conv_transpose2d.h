// conv_transpose2d: transposed convolution whose kernel equals its stride, so that each input pixel
// fills its own KH x KW block of the output and no blocks overlap.
//   input    [N, H, W, C]    f32 or f64
//   weight   [O, KH, KW, C]
//   bias     [O] or undefined
//   returns  [N, H * KH, W * KW, O]
//   output(n, y * KH + ky, x * KW + kx, o) = relu?(bias(o) + sum_c input(n, y, x, c) *
//                                                                 weight(o, ky, kx, c))
// Gradient: none (inference).  Accumulates in the tensors' type.
// Deterministic: yes, for a given CPU type.  Syncs host: no.
// f32 is one product with the weight of every tap (kernels/linalg/linear.h) and a pixel shuffle.
#pragma once

#include "core/tensor.h"

namespace mrcnn {

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        bool relu = false);

// Throws ShapeError or DTypeError unless the two belong to a transposed convolution.
void check_conv_transpose2d_weight(const char* op, const Tensor& weight, const Tensor& bias);

// [O, KH, KW, C] -> [KH * KW * O, C]: the matrix of the product, taps outermost.
Tensor conv_transpose2d_matrix(const Tensor& weight);
// [O] -> [taps * O]: the bias of every tap. Undefined stays undefined.
Tensor repeat_bias(const Tensor& bias, int64_t taps);

}  // namespace mrcnn
