// What flows between the stages of Mask R-CNN.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "kernels/image/resized_size.h"
#include "models/detection/instances.h"
#include "models/detection/rpn_head.h"

namespace mrcnn {

// Images resized, normalised and padded to one size.
struct ImageBatch {
  Tensor pixels;                    // [N, H, W, 3] f32; on a GPU in the model's precision, with
                                    // channels of zeros up to 16 bytes a pixel
  std::vector<ImageSize> original;  // N
  std::vector<ImageSize> resized;   // N, without padding
  Tensor clip_sizes;  // on a GPU [N, 2] f32 (height, width): what boxes are clipped to
};

struct Features {
  std::vector<Tensor> maps;  // [N, h, w, C], finest first; those the RPN reads
  RpnOutput rpn;             // one entry per map
};

// The detections of a batch as arrays of a fixed size D an image; zeros past count.
struct DetectionBatch {
  Tensor boxes;       // [N, D, 4] f32, pixels of the network's input image
  Tensor scores;      // [N, D] f32
  Tensor labels;      // [N, D] i64
  Tensor count;       // [N] i32
  Tensor mask_probs;  // [N * D, M, M] f32
};

}  // namespace mrcnn
