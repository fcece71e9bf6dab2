// Overlap of boxes and masks as COCO's evaluation counts it.
// Source: pycocotools common/maskApi.c bbIou, rleIou.
#pragma once

#include <array>

#include "core/rle.h"

namespace mrcnn {

using CocoBox = std::array<double, 4>;  // (x, y, width, height), pixels

// Intersection over union; where the ground truth is a crowd, over the detection's area instead,
// so that any number of detections may lie in it.
double coco_box_iou(const CocoBox& detection, const CocoBox& truth, bool crowd);

// A mask with the box around it, which is found once for all the masks that it is compared with.
struct BoxedMask {
  explicit BoxedMask(const Rle& rle);

  const Rle* mask;  // must outlive this
  CocoBox box;
};

// The same for masks, counted in pixels. -1 if they are of different sizes.
double coco_mask_iou(const BoxedMask& detection, const BoxedMask& truth, bool crowd);

}  // namespace mrcnn
