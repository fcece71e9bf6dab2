// fold_batch_norm: a convolution and the batch norm after it as one convolution with a bias.
//   conv_weight [O, KH, KW, I]  float
//   conv_bias   [O]             type of conv_weight, or undefined
//   bn          4 x [O]         f32 or f64
//   returns weight [O, KH, KW, I], bias [O], type of conv_weight:
//     weight = conv_weight * scale,  bias = conv_bias * scale + shift  (batch_norm_affine.h)
// Scale, products and sums are in double; each result is rounded once. So the folded convolution
// equals convolution + batch norm to rounding, not bit for bit. With scale +-inf (eps 0 and a zero
// variance) the weights of that channel become +-inf, and NaN where they were 0.
// The last axes may be of any rank >= 0: a linear layer's [O, I] folds as well.
// Gradient: none, this prepares constants.
// Deterministic: yes.  Syncs host: no.
#pragma once

#include "core/tensor.h"
#include "kernels/norm/batch_norm_affine.h"

namespace mrcnn {

struct FoldedConv {
  Tensor weight;
  Tensor bias;
};

FoldedConv fold_batch_norm(const Tensor& conv_weight, const Tensor& conv_bias,
                           const BatchNormConstants& bn);

namespace cpu {
// conv_weight [channels, row_length], conv_bias [channels] or null
template <typename T>
void fold_batch_norm(int64_t channels, int64_t row_length, const T* conv_weight, const T* conv_bias,
                     const ChannelAffine& affine, T* weight, T* bias);
}  // namespace cpu
}  // namespace mrcnn
