// softmax_cross_entropy: weighted sum of the negative logarithms of the labels' probabilities.
//   logits  [R, K]  f32 or f64; on a GPU f32 or bf16
//   labels  [R]     i32, 0..K-1; others are an error on the CPU where the weight is not 0, and
//                   weight 0 on a GPU
//   weights [R]     f32
//   returns []      of the logits' type, f32 for bf16:
//     sum over r of weights[r] * (log(sum over k of exp(x_k)) - x_label)
// with the row's maximum taken out of the exponentials. Rows of weight 0 are not looked at: NaN,
// inf and labels there do not matter. No rows give 0.
// The CPU computes in f64, in a fixed order. A GPU computes in f32, in another fixed order, which
// is the same on every GPU.
// Gradient: logits, grad * weights[r] * (softmax(x)_k - [k == label]); zeros for rows of weight 0.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torch 2 nn.functional.cross_entropy.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& weights);

namespace cpu {
// logits, grad_logits [rows, classes]; labels, weights [rows]; loss, grad_loss one number
void softmax_cross_entropy(int64_t rows, int64_t classes, const float* logits,
                           const int32_t* labels, const float* weights, float* loss);
void softmax_cross_entropy(int64_t rows, int64_t classes, const double* logits,
                           const int32_t* labels, const float* weights, double* loss);
void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const float* logits, const int32_t* labels,
                                    const float* weights, float* grad_logits);
void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const double* grad_loss,
                                    const double* logits, const int32_t* labels,
                                    const float* weights, double* grad_logits);
}  // namespace cpu

namespace cuda {
// partials [kLossPartials] is scratch (weighted_rows.h)
void softmax_cross_entropy(int64_t rows, int64_t classes, const float* logits,
                           const int32_t* labels, const float* weights, float* partials,
                           float* loss, Stream stream);
void softmax_cross_entropy(int64_t rows, int64_t classes, const BFloat16* logits,
                           const int32_t* labels, const float* weights, float* partials,
                           float* loss, Stream stream);
void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const float* logits, const int32_t* labels,
                                    const float* weights, float* grad_logits, Stream stream);
void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const BFloat16* logits, const int32_t* labels,
                                    const float* weights, BFloat16* grad_logits, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
