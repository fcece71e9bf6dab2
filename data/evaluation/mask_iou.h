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

// The same for masks, counted in pixels. -1 if they are of different sizes.
double coco_mask_iou(const Rle& detection, const Rle& truth, bool crowd);

}  // namespace mrcnn
