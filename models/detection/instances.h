// The objects found in one image, or annotated in it.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

struct Instances {
  int64_t height = 0;  // of the image the boxes refer to, pixels
  int64_t width = 0;
  Tensor boxes;       // [D, 4] f32 (x1, y1, x2, y2), pixels of that image
  Tensor labels;      // [D] i64, 1..K-1 (0 is background)
  Tensor scores;      // [D] f32, 0..1
  Tensor mask_probs;  // [D, M, M] f32, probability of the label's class inside the box (M = 28)

  int64_t size() const { return boxes.defined() ? boxes.size(0) : 0; }
};

}  // namespace mrcnn
