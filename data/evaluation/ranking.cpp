#include "data/evaluation/ranking.h"

#include <algorithm>
#include <cstddef>

namespace mrcnn {

Ranking rank_detections(const ClassMatches& matches) {
  Ranking ranking;
  ranking.detections.reserve(matches.detections.size());
  for (const MatchedImage& image : matches.images) {
    for (uint32_t d = 0; d < image.num_detections; ++d) {
      ranking.detections.push_back({.detection = &matches.detections[image.first_detection + d],
                                    .image = image.image,
                                    .rank = d});
    }
  }
  std::stable_sort(ranking.detections.begin(), ranking.detections.end(),
                   [](const RankedDetection& a, const RankedDetection& b) {
                     return a.detection->score > b.detection->score;
                   });
  return ranking;
}

std::array<int64_t, kNumAreaRanges> count_truths(const ClassMatches& matches) {
  std::array<int64_t, kNumAreaRanges> counts{};
  for (const MatchedImage& image : matches.images) {
    for (size_t a = 0; a < kNumAreaRanges; ++a) counts[a] += image.num_truths[a];
  }
  return counts;
}

}  // namespace mrcnn
