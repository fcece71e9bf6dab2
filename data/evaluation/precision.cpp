#include "data/evaluation/precision.h"

#include <algorithm>
#include <limits>

namespace mrcnn {
namespace {

struct Outcome {
  double score;
  bool matched;
  bool ignored;
};

std::vector<Outcome> sorted_outcomes(std::span<const ImageMatches> images, size_t threshold,
                                     size_t area_range, int64_t max_detections) {
  std::vector<Outcome> outcomes;
  for (const ImageMatches& image : images) {
    const size_t count = std::min(image.detections.size(), static_cast<size_t>(max_detections));
    for (size_t d = 0; d < count; ++d) {
      const ImageMatches::Detection& detection = image.detections[d];
      outcomes.push_back({.score = detection.score,
                          .matched = ((detection.matched[area_range] >> threshold) & 1U) != 0,
                          .ignored = ((detection.ignored[area_range] >> threshold) & 1U) != 0});
    }
  }
  std::stable_sort(outcomes.begin(), outcomes.end(),
                   [](const Outcome& a, const Outcome& b) { return a.score > b.score; });
  return outcomes;
}

double recall_threshold(size_t i) {
  return i + 1 == kNumRecalls ? 1.0 : static_cast<double>(i) * (1.0 / 100);
}

}  // namespace

PrecisionCurve precision_curve(std::span<const ImageMatches> images, size_t threshold,
                               size_t area_range, int64_t max_detections) {
  PrecisionCurve curve{};
  int64_t to_find = 0;
  for (const ImageMatches& image : images) to_find += image.num_truths[area_range];
  if (to_find == 0) {
    curve.precision.fill(-1);
    curve.recall = -1;
    return curve;
  }
  std::vector<double> precision, recall;
  double found = 0, wrong = 0;
  for (const Outcome& outcome : sorted_outcomes(images, threshold, area_range, max_detections)) {
    if (!outcome.ignored) (outcome.matched ? found : wrong) += 1;
    recall.push_back(found / static_cast<double>(to_find));
    precision.push_back(found / (wrong + found + std::numeric_limits<double>::epsilon()));
  }
  curve.recall = recall.empty() ? 0 : recall.back();
  for (size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  for (size_t r = 0; r < kNumRecalls; ++r) {
    const auto first = std::lower_bound(recall.begin(), recall.end(), recall_threshold(r));
    if (first != recall.end()) {
      curve.precision[r] = precision[static_cast<size_t>(first - recall.begin())];
    }
  }
  return curve;
}

}  // namespace mrcnn
