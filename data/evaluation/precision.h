// From the matches of all images to precision at given recalls.
// Source: pycocotools cocoeval.py accumulate.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/evaluation/matching.h"

namespace mrcnn {

inline constexpr size_t kNumRecalls = 101;  // 0.00, 0.01 .. 1.00

struct PrecisionCurve {
  // -1 throughout where no image has an object to find in this range of sizes.
  std::array<double, kNumRecalls> precision;  // the largest at this recall or above
  double recall;                              // reached with all detections
};

// Of one class: images in ascending order of their ids, the first max_detections of each.
PrecisionCurve precision_curve(std::span<const ImageMatches> images, size_t threshold,
                               size_t area_range, int64_t max_detections);

}  // namespace mrcnn
