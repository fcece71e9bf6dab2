// box_iou: intersection over union of every pair of boxes.
//   a       [N, 4]  f32 (x1, y1, x2, y2)
//   b       [M, 4]  f32
//   returns [N, M]  f32: inter / (area_a + area_b - inter)
// Areas are (x2 - x1) * (y2 - y1). A pair whose union is not positive (two empty boxes) has IoU 0;
// torchvision gives NaN there, which makes an anchor ignored instead of negative.
// On the device of the boxes; a GPU gives the CPU's bits.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 ops/boxes.py, box_iou (order of operations).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor box_iou(const Tensor& a, const Tensor& b);

namespace cpu {
// a [num_a, 4], b [num_b, 4], output [num_a, num_b]
void box_iou(int64_t num_a, int64_t num_b, const float* a, const float* b, float* output);
}  // namespace cpu

namespace cuda {
void box_iou(int64_t num_a, int64_t num_b, const float* a, const float* b, float* output,
             Stream stream);
}  // namespace cuda
}  // namespace mrcnn
