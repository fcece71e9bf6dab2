// paste_mask: the probability map of one object, resized into its box on an otherwise black canvas.
//   probs       [M, M]  f32
//   box         [4]     f32 (x1, y1, x2, y2), pixels of the canvas
//   returns     [H, W]  f32, 0 outside the box
// The resizing is described in mask_paste_math.h. The mask covers x2 - x1 + extra_pixel pixels of
// the truncated box: 1 in torchvision, 0 in the original system. A box outside the canvas, inverted
// or not finite leaves it black.
// For looking at masks and for parity tests; results go straight to run lengths (mask_rle.h) or to
// bits (mask_bits.h).
// Gradient: none.  Deterministic: yes, the same bits on both devices.  Syncs host: no.
// Capturable: yes.
// Source: torchvision 0.29 models/detection/roi_heads.py paste_mask_in_image.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor paste_mask(const Tensor& probs, const Tensor& box, int64_t height, int64_t width,
                  int64_t extra_pixel = 1);

namespace cpu {
// probs [mask_size, mask_size], box [4], canvas [height, width]
void paste_mask(int64_t mask_size, int64_t height, int64_t width, int64_t extra_pixel,
                const float* probs, const float* box, float* canvas);
}  // namespace cpu

namespace cuda {
void paste_mask(int64_t mask_size, int64_t height, int64_t width, int64_t extra_pixel,
                const float* probs, const float* box, float* canvas, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
