// batch_norm: batch normalisation with the statistics of the batch, then a residual, then ReLU:
// what a trained batch norm does in training. In inference it is frozen_batch_norm.
//   input        [..., C]  float, N * H * W pixels of C channels; on a GPU f32 or bf16
//   weight, bias [C]       type of input; on a GPU f32
//   running      2 x [C]   type of weight; changed in place
//   residual     [..., C]  shape and type of input, or undefined
//   returns      [..., C]: max(0, (input - mean) / sqrt(var + eps) * weight + bias + residual), the
//                residual and the maximum optional
//   mean, var    of each channel over all pixels; var is divided by the number of pixels P
//   running.mean = (1 - momentum) * running.mean + momentum * mean
//   running.var  = (1 - momentum) * running.var + momentum * var * P / (P - 1)
//   labels       [N] i32 or undefined: rows of input [N, ..., C] with a negative label are unused
// A GPU's lists of RoIs end in unused rows: they are not part of the batch whose statistics are
// taken, come out as numbers that mean nothing, and give input no gradient. If all are unused,
// nothing is updated. With labels a row has two pixels or more and there is no residual.
// All on one device. num_batches_tracked is the caller's to count. One pixel has no variance: a
// ShapeError, as in the reference. No pixels: an empty result, nothing is updated, gradients are 0.
// NaN passes through the ReLU, and its gradient through a NaN. Sums are in double on the CPU over
// blocks of 32 pixels in the input's type; on a GPU f32 in the kernels, double across chunks.
// Gradient: input, weight, bias, residual.
// Deterministic: yes, for any number of threads.  Syncs host: no.  Capturable: yes.
// Source: Ioffe and Szegedy 2015, algorithm 1; PyTorch 2 BatchNorm2d.
#pragma once

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/norm/batch_norm_math.h"

namespace mrcnn {

struct BatchNormRunning {
  Tensor mean;
  Tensor var;
};

struct BatchNormParams {
  double eps = 1e-5;
  double momentum = 0.1;  // the part of the batch's statistics in the new running ones
  bool relu = false;
};

Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const BatchNormRunning& running, const Tensor& residual,
                  const BatchNormParams& params, const Tensor& labels = {});

// The passes, in the order they run; frozen_batch_norm is the last. `partials` [chunks, 2, C] is
// what one stage hands to the next.
namespace cpu {

// Every chunk's mean and sum of squared distances from it.
template <typename T>
void batch_norm_moments(const BatchNormGeometry& geometry, const T* input, double* partials);

// statistics [2, C] (mean, 1 / deviation) and affine [2, C] (scale, shift) out of the partials;
// updates the running statistics.
template <typename T>
void batch_norm_statistics(const BatchNormGeometry& geometry, const BatchNormParams& params,
                           const double* partials, const T* weight, const T* bias, T* running_mean,
                           T* running_var, T* statistics, T* affine);
}  // namespace cpu

namespace cuda {
template <typename T>
void batch_norm_moments(const BatchNormGeometry& geometry, const T* input, float* partials,
                        Stream stream);
void batch_norm_statistics(const BatchNormGeometry& geometry, const BatchNormParams& params,
                           const float* partials, const float* weight, const float* bias,
                           float* running_mean, float* running_var, float* statistics,
                           float* affine, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
