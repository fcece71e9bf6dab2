// Overlap of boxes and masks as COCO's evaluation counts it.
// Source: pycocotools common/maskApi.c bbIou, rleIou.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/rle.h"

namespace mrcnn {

using CocoBox = std::array<double, 4>;  // (x, y, width, height), pixels

// Intersection over union; where the ground truth is a crowd, over the detection's area instead,
// so that any number of detections may lie in it.
double coco_box_iou(const CocoBox& detection, const CocoBox& truth, bool crowd);

// A mask made ready to be compared with many.
struct BoxedMask {
  struct Run {  // of foreground: positions [begin, end) in column-major order
    uint32_t begin;
    uint32_t end;
  };

  explicit BoxedMask(const Rle& rle);

  int64_t height;
  int64_t width;
  int64_t area = 0;  // pixels
  CocoBox box;       // around the foreground; all 0 if there is none
  std::vector<Run> runs;
};

// The same for masks, counted in pixels. -1 if they are of different sizes.
double coco_mask_iou(const BoxedMask& detection, const BoxedMask& truth, bool crowd);

}  // namespace mrcnn
