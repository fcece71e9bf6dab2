// upsample_nearest_add: enlarges the coarse map to the size of the fine one and adds it, in one
// pass.
//   coarse  [N, CH, CW, C]  float; on a GPU f32 or bf16
//   fine    [N, H, W, C]    type and device of coarse
//   returns [N, H, W, C]: fine[n, y, x] + coarse[n, source(y, CH, H), source(x, CW, W)]
//   source(i, in, out) = min(floor(i * (float(in) / float(out))), in - 1), in f32
// The sizes need not be multiples of each other: a pyramid over an odd-sized map has levels like 25
// and 13. bf16 is added in f32 and rounded once.
// Gradient: coarse, fine. That of a coarse pixel is the sum over the fine pixels that took it, row
// by row, in f32 (f64 for f64); that of fine is the output's. Deterministic: yes.  Syncs host: no.
// Capturable: yes. Source: Lin et al. 2017 (FPN), fig. 3; PyTorch 2 interpolate(mode="nearest",
// size=...).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor upsample_nearest_add(const Tensor& coarse, const Tensor& fine);

struct UpsampleGeometry {
  int64_t images = 0;
  int64_t coarse_height = 0;
  int64_t coarse_width = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
};

namespace cpu {
// coarse [N, CH, CW, C], fine and output [N, H, W, C]
void upsample_nearest_add(const UpsampleGeometry& geometry, const float* coarse, const float* fine,
                          float* output);
void upsample_nearest_add(const UpsampleGeometry& geometry, const double* coarse,
                          const double* fine, double* output);
// grad_output [N, H, W, C], grad_coarse [N, CH, CW, C]
void upsample_nearest_backward(const UpsampleGeometry& geometry, const float* grad_output,
                               float* grad_coarse);
void upsample_nearest_backward(const UpsampleGeometry& geometry, const double* grad_output,
                               double* grad_coarse);
}  // namespace cpu

namespace cuda {
// coarse [N, CH, CW, C], fine and output [N, H, W, C]
void upsample_nearest_add(const UpsampleGeometry& geometry, const float* coarse, const float* fine,
                          float* output, Stream stream);
void upsample_nearest_add(const UpsampleGeometry& geometry, const BFloat16* coarse,
                          const BFloat16* fine, BFloat16* output, Stream stream);
// grad_output [N, H, W, C], grad_coarse [N, CH, CW, C]
void upsample_nearest_backward(const UpsampleGeometry& geometry, const float* grad_output,
                               float* grad_coarse, Stream stream);
void upsample_nearest_backward(const UpsampleGeometry& geometry, const BFloat16* grad_output,
                               BFloat16* grad_coarse, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
