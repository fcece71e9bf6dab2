// What an evaluation is told of an image: the objects that are there and the ones that were found.
#pragma once

#include <cstdint>

#include "core/rle.h"
#include "data/evaluation/mask_iou.h"

namespace mrcnn {

// What overlaps are measured on. Masks are read by kMask only, boxes by kBox only; where an
// exception is made, the field says so.
enum class IouKind { kBox, kMask };

struct EvaluatedTruth {
  int64_t id = 1;  // as annotated; of COCO's evaluation with strict_ids and of lists of misses
  int64_t category = 0;
  CocoBox box{};    // also what a list of misses shows
  double area = 0;  // as annotated; decides the range of sizes
  bool crowd = false;
  bool difficult = false;  // VOC's evaluation only
  Rle mask = {};
};

struct EvaluatedDetection {
  int64_t category = 0;
  double score = 0;
  CocoBox box{};  // also what a list of false positives shows, and the area with strict_areas
  Rle mask = {};
};

}  // namespace mrcnn
