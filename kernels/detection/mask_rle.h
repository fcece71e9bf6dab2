// mask to RLE: the run lengths of an object's mask at image size, without the image.
//   probs   [D, M, M]  f32, probabilities inside the box
//   boxes   [D, 4]     f32 (x1, y1, x2, y2), pixels of the H x W image
//   returns D run-length encodings of the image's size
// Equal, run by run, to encoding paste_mask(...) > threshold (mask_paste.h). Columns of the clipped
// box are walked; inside a column the value between two source rows is linear, so only pixels
// whose comparison rounding could decide are computed one by one.
// Gradient: none.  Deterministic: yes.  Syncs host: yes (the result's size).  Capturable: no.
// Source: torchvision 0.29 models/detection/roi_heads.py (pasting); COCO API maskApi.c (encoding).
#pragma once

#include <cstdint>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"

namespace mrcnn {

struct MaskRleParams {
  float threshold = 0.5F;   // >= 0; a pixel belongs to the object if its probability is above
  int64_t extra_pixel = 1;  // see mask_paste.h
};

std::vector<Rle> masks_to_rle(const Tensor& probs, const Tensor& boxes, int64_t height,
                              int64_t width, const MaskRleParams& params = {});

namespace cpu {
// probs [mask_size, mask_size], box [4]
Rle mask_to_rle(int64_t mask_size, int64_t height, int64_t width, const MaskRleParams& params,
                const float* probs, const float* box);
}  // namespace cpu
}  // namespace mrcnn
