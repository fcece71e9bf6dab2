// bce_with_logits: weighted sum of binary cross-entropies of sigmoids.
//   logits  [R, ...]  f32 or f64; on a GPU f32 or bf16
//   targets [R, ...]  f32, the shape of logits; 0..1, soft ones too
//   weights [R]       f32
//   returns []        of the logits' type, f32 for bf16:
//     sum over r of weights[r] * sum over the row of max(x, 0) - x t + log(1 + exp(-|x|))
// Rows of weight 0 are not looked at: NaN and inf there do not matter. No rows give 0.
// Serves objectness ([R]) and masks ([R, 28, 28]); the weights carry what is divided by.
// The CPU computes in f64, in a fixed order. A GPU computes in f32, in another fixed order, which
// is the same on every GPU.
// Gradient: logits, grad * weights[r] * (sigmoid(x) - t); zeros for rows of weight 0.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torch 2 nn.functional.binary_cross_entropy_with_logits.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor bce_with_logits(const Tensor& logits, const Tensor& targets, const Tensor& weights);

namespace cpu {
// logits, targets, grad_logits [rows, columns]; weights [rows]; loss, grad_loss one number
void bce_with_logits(int64_t rows, int64_t columns, const float* logits, const float* targets,
                     const float* weights, float* loss);
void bce_with_logits(int64_t rows, int64_t columns, const double* logits, const float* targets,
                     const float* weights, double* loss);
void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const float* logits, const float* targets, const float* weights,
                              float* grad_logits);
void bce_with_logits_backward(int64_t rows, int64_t columns, const double* grad_loss,
                              const double* logits, const float* targets, const float* weights,
                              double* grad_logits);
}  // namespace cpu

namespace cuda {
// partials [kLossPartials] is scratch (weighted_rows.h)
void bce_with_logits(int64_t rows, int64_t columns, const float* logits, const float* targets,
                     const float* weights, float* partials, float* loss, Stream stream);
void bce_with_logits(int64_t rows, int64_t columns, const BFloat16* logits, const float* targets,
                     const float* weights, float* partials, float* loss, Stream stream);
void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const float* logits, const float* targets, const float* weights,
                              float* grad_logits, Stream stream);
void bce_with_logits_backward(int64_t rows, int64_t columns, const float* grad_loss,
                              const BFloat16* logits, const float* targets, const float* weights,
                              BFloat16* grad_logits, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
