// smooth_l1: weighted sum of absolute differences, rounded off near 0.
//   predictions [R, ...]  f32 or f64; on a GPU f32 or bf16
//   targets     [R, ...]  f32, the shape of predictions
//   weights     [R]       f32
//   returns     []        of the predictions' type, f32 for bf16: with d = prediction - target
//     sum over r of weights[r] * sum over the row of
//       d^2 / (2 beta) if |d| < beta, else |d| - beta / 2
// beta 0 is the plain sum of |d|. Rows of weight 0 are not looked at: NaN and inf there do not
// matter. No rows give 0.
// Serves box deltas ([R, 4]); the weights carry what is divided by.
// The CPU computes in f64, in a fixed order. A GPU computes in f32, in another fixed order, which
// is the same on every GPU.
// Gradient: predictions, grad * weights[r] * (d / beta if |d| < beta, else the sign of d, which is
// 0 for 0); zeros for rows of weight 0.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: Girshick 2015, Fast R-CNN, eq. 3; torch 2 nn.functional.smooth_l1_loss.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct SmoothL1Params {
  float beta = 1.0F;  // 0 or more; torchvision's models have 1/9, the original 1 and 0
};

Tensor smooth_l1(const Tensor& predictions, const Tensor& targets, const Tensor& weights,
                 const SmoothL1Params& params);

namespace cpu {
// predictions, targets, grad_predictions [rows, columns]; weights [rows]; losses one number
void smooth_l1(int64_t rows, int64_t columns, float beta, const float* predictions,
               const float* targets, const float* weights, float* loss);
void smooth_l1(int64_t rows, int64_t columns, float beta, const double* predictions,
               const float* targets, const float* weights, double* loss);
void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const float* predictions, const float* targets, const float* weights,
                        float* grad_predictions);
void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const double* grad_loss,
                        const double* predictions, const float* targets, const float* weights,
                        double* grad_predictions);
}  // namespace cpu

namespace cuda {
// partials [kLossPartials] is scratch (weighted_rows.h)
void smooth_l1(int64_t rows, int64_t columns, float beta, const float* predictions,
               const float* targets, const float* weights, float* partials, float* loss,
               Stream stream);
void smooth_l1(int64_t rows, int64_t columns, float beta, const BFloat16* predictions,
               const float* targets, const float* weights, float* partials, float* loss,
               Stream stream);
void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const float* predictions, const float* targets, const float* weights,
                        float* grad_predictions, Stream stream);
void smooth_l1_backward(int64_t rows, int64_t columns, float beta, const float* grad_loss,
                        const BFloat16* predictions, const float* targets, const float* weights,
                        BFloat16* grad_predictions, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
