// box coder: boxes as offsets from reference boxes, and back.
//   decode_boxes(deltas [M, 4*K], refs [M, 4])  f32 -> [M, 4*K]
//     (dx, dy, dw, dh) / weights; center += (dx, dy) * size; size *= exp(min(dw, ln(1000/16))).
//     Nothing is clipped.
//   encode_boxes(boxes [M, 4], refs [M, 4])     f32 -> deltas [M, 4], the inverse.
//     A box or reference without area gives infinities or NaN, as log(0) and x/0 do.
//   clip_boxes(boxes [..., 4], image size)      f32 -> [..., 4], x into [0, width], y [0, height].
//     NaN stays NaN.
// Boxes are (x1, y1, x2, y2); width is x2 - x1. On the device of the boxes; a GPU gives the CPU's
// bits but for exp and log, which are within 2 units in the last place there.
// Gradient: none (targets and proposals are constants of the losses).
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: Girshick et al. 2014, R-CNN, appendix C; torchvision 0.29 models/detection/_utils.py
// (order of operations, clamp).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/box_math.h"

namespace mrcnn {

// Weights of the box head. Source: Girshick 2015, Fast R-CNN code: targets divided by their
// standard deviations 0.1, 0.1, 0.2, 0.2.
inline constexpr BoxWeights kBoxHeadWeights{10, 10, 5, 5};

Tensor decode_boxes(const Tensor& deltas, const Tensor& refs, const BoxWeights& weights = {});
Tensor encode_boxes(const Tensor& boxes, const Tensor& refs, const BoxWeights& weights = {});
Tensor clip_boxes(const Tensor& boxes, float image_height, float image_width);

namespace cpu {
// deltas, output [count, 4*classes]; refs [count, 4]
void decode_boxes(int64_t count, int64_t classes, const BoxWeights& weights, const float* deltas,
                  const float* refs, float* output);
// boxes, refs, output [count, 4]
void encode_boxes(int64_t count, const BoxWeights& weights, const float* boxes, const float* refs,
                  float* output);
// boxes, output [count, 4]
void clip_boxes(int64_t count, float image_height, float image_width, const float* boxes,
                float* output);
}  // namespace cpu

namespace cuda {
void decode_boxes(int64_t count, int64_t classes, const BoxWeights& weights, const float* deltas,
                  const float* refs, float* output, Stream stream);
void encode_boxes(int64_t count, const BoxWeights& weights, const float* boxes, const float* refs,
                  float* output, Stream stream);
void clip_boxes(int64_t count, float image_height, float image_width, const float* boxes,
                float* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
