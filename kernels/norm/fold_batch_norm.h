// fold_batch_norm: a convolution and the batch norm after it as one convolution with a bias.
//   conv_weight [O, KH, KW, I]  f32 or f64; on a GPU f32
//   conv_bias   [O]             type of conv_weight, or undefined
//   bn          4 x [O]         f32 or f64; on a GPU f32
//   returns weight [O, KH, KW, I], bias [O], type of conv_weight; on a GPU the weight is bf16 where
//   that is asked for:
//     weight = conv_weight * scale,  bias = conv_bias * scale + shift  (batch_norm_affine.h)
// Scale, products and sums are in double; each result is rounded once, to bf16 through f32. So the
// folded convolution equals convolution + batch norm to rounding, not bit for bit. With scale +-inf
// (eps 0 and a zero variance) the weights of that channel become +-inf, and NaN where they were 0.
// The last axes may be of any rank >= 0: a linear layer's [O, I] folds as well.
// Gradient: conv_weight and conv_bias, each grad * scale; none for bn, whose values are fixed.
// Training with frozen statistics folds in every step: one pass over the weight.
// Deterministic: yes, the same bits on every device.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>
#include <optional>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/norm/batch_norm_affine.h"

namespace mrcnn {

struct FoldedConv {
  Tensor weight;
  Tensor bias;
};

FoldedConv fold_batch_norm(const Tensor& conv_weight, const Tensor& conv_bias,
                           const BatchNormConstants& bn, std::optional<DType> weight_dtype = {});

namespace cpu {
// weight, scaled [channels, row_length], scale [channels]: scaled = weight * scale
void scale_channels(int64_t channels, int64_t row_length, const float* weight, const double* scale,
                    float* scaled);
void scale_channels(int64_t channels, int64_t row_length, const double* weight, const double* scale,
                    double* scaled);
}  // namespace cpu

namespace cuda {
// The batch norm's constants, [channels] each.
struct BatchNormPointers {
  const float* weight = nullptr;
  const float* bias = nullptr;
  const float* running_mean = nullptr;
  const float* running_var = nullptr;
  double eps = 0;
};

// weight, scaled [channels, row_length]. For (float, float), (float, BFloat16), (BFloat16, float).
template <typename From, typename To>
void scale_channels(int64_t channels, int64_t row_length, const From* weight,
                    const BatchNormPointers& bn, To* scaled, Stream stream);
// bias = conv_bias * scale + shift; conv_bias, bias [channels], conv_bias may be nullptr
void fold_bias(int64_t channels, const float* conv_bias, const BatchNormPointers& bn, float* bias,
               Stream stream);
}  // namespace cuda
}  // namespace mrcnn
