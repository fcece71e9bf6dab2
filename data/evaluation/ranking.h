// The detections of a class in the order in which they count.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/evaluation/match_table.h"

namespace mrcnn {

struct RankedDetection {
  const MatchedDetection* detection;
  uint32_t image;  // index into MatchTable::image_ids
  uint32_t rank;   // among those of its class in its image, 0 first
};

struct Ranking {
  // Descending score; of equal ones the first image's and in an image the first's.
  std::vector<RankedDetection> detections;
};

Ranking rank_detections(const ClassMatches& matches);  // which must outlive the result

// Objects that must be found, by range of sizes.
std::array<int64_t, kNumAreaRanges> count_truths(const ClassMatches& matches);

}  // namespace mrcnn
