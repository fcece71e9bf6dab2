// What the training of Mask R-CNN reads: images and what is annotated in them.
#pragma once

#include <span>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "kernels/detection/mask_table.h"
#include "kernels/image/image_placement.h"
#include "layers/execution.h"
#include "models/mask_rcnn/batch.h"
#include "models/mask_rcnn/config.h"

namespace mrcnn {

// One image with its objects, on the CPU, as the data set has it.
struct TrainingImage {
  Tensor pixels;             // [H, W, 3] u8
  ImagePlacement placement;  // how it enters the network
  Tensor boxes;              // [G, 4] f32 (x1, y1, x2, y2), pixels of `pixels`
  Tensor labels;             // [G] i32, 1..K-1
  std::vector<Rle> masks;    // G, of the size of `pixels`
};

// On the model's device; G is the most objects of any image.
struct TrainingBatch {
  ImageBatch images;
  Tensor gt_boxes;   // [N, G, 4] f32, pixels of the network's input; zeros past the count
  Tensor gt_labels;  // [N, G] i32
  Tensor gt_count;   // [N] i32
  MaskTable masks;
};

// Boxes of the photo in pixels of the network's input: mirrored, scaled, and cut to what is
// visible. boxes [G, 4] f32. The order of the operations in f32 is the reference's that the rule
// belongs to, because a small object lies in many anchors with the same overlap to the last bit,
// and which of them are equal decides which become positive: torchvision multiplies with the ratio
// of the sizes, the original system multiplies with the new size and divides by the old one.
Tensor place_boxes(const Tensor& boxes, ImageSize original, const ImagePlacement& placement,
                   SizeRule rule);

// Pads to the largest visible size, or to `canvas` if that is not empty. Objects of which nothing
// is visible are left out. Throws ShapeError if shapes disagree, naming the image.
TrainingBatch make_training_batch(std::span<const TrainingImage> images,
                                  const MaskRcnnConfig& config, const Execution& execution,
                                  ImageSize canvas = {});

}  // namespace mrcnn
