// mask_bits: the masks of objects at image size, one bit a pixel.
//   probs   [D, M, M]  f32, probabilities inside the box
//   boxes   [D, 4]     f32 (x1, y1, x2, y2), pixels of the H x W image
//   returns [D, H, ceil(W / 32)]  i32: bit x % 32 (from the lowest) of word x / 32 is pixel x; bits
//           past the image's width are 0
// A pixel is paste_mask(...) > threshold (mask_paste.h). 100 masks of 800 x 1333 take 13 MB; as
// floats they would take 427 MB.
// Gradient: none.  Deterministic: yes, the same bits on both devices.  Syncs host: no.
// Capturable: yes.
// Source: torchvision 0.29 models/detection/roi_heads.py (pasting).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/mask_threshold.h"

namespace mrcnn {

Tensor mask_bits(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                 const MaskThreshold& params = {});

namespace cpu {
// probs [D, M, M], boxes [D, 4], bits [D, H, ceil(W / 32)]
void mask_bits(const MaskGeometry& g, const float* probs, const float* boxes, int32_t* bits);
}  // namespace cpu

namespace cuda {
void mask_bits(const MaskGeometry& g, const float* probs, const float* boxes, int32_t* bits,
               Stream stream);
}  // namespace cuda
}  // namespace mrcnn
