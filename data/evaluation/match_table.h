// The outcomes of an evaluation: for every detection whether it found an object, at every threshold
// and for every range of sizes. All that curves, means and resampled means are made of; no boxes,
// no masks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/evaluation/matching.h"

namespace mrcnn {

// The detections and objects of one class in one image. An image that has neither has no entry.
struct MatchedImage {
  uint32_t image = 0;  // index into MatchTable::image_ids
  uint32_t num_detections = 0;
  size_t first_detection = 0;  // index into ClassMatches::detections; descending scores from there
  std::array<uint32_t, kNumAreaRanges> num_truths{};  // that must be found
};

struct ClassMatches {
  int64_t category = 0;
  std::vector<MatchedImage> images;  // ascending
  std::vector<MatchedDetection> detections;
};

struct MatchTable {
  std::vector<int64_t> image_ids;     // every image that was evaluated, ascending
  std::vector<ClassMatches> classes;  // ascending category
};

}  // namespace mrcnn
