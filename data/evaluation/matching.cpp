#include "data/evaluation/matching.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mrcnn {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

bool outside(double area, const AreaRange& range) {
  return area < range.least || area > range.most;
}

// The object that a detection takes: of those it may take the one with the largest IoU, the later
// one on ties; one that counts before any that is ignored. `order`: those that count first.
size_t best_truth(const MatchInput& input, size_t detection, double threshold,
                  const std::vector<size_t>& order, const std::vector<bool>& ignored,
                  const std::vector<bool>& taken) {
  double best = std::min(threshold, 1 - 1e-10);
  size_t match = kNone;
  for (const size_t g : order) {
    if (taken[g] && !input.crowd[g]) continue;
    if (match != kNone && !ignored[match] && ignored[g]) break;
    const double iou = input.iou[detection * order.size() + g];
    if (iou < best) continue;
    best = iou;
    match = g;
  }
  return match;
}

void match_range(const MatchInput& input, size_t range, ImageMatches& matches) {
  const size_t num_truths = input.truth_areas.size();
  std::vector<bool> ignored(num_truths);
  std::vector<size_t> order(num_truths);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t g = 0; g < num_truths; ++g) {
    ignored[g] = input.crowd[g] || outside(input.truth_areas[g], kAreaRanges[range]);
    matches.num_truths[range] += ignored[g] ? 0 : 1;
  }
  std::stable_partition(order.begin(), order.end(), [&](size_t g) { return !ignored[g]; });

  const auto thresholds = coco_iou_thresholds();
  for (size_t t = 0; t < kNumIouThresholds; ++t) {
    const auto bit = static_cast<uint16_t>(1U << t);
    std::vector<bool> taken(num_truths, false);
    for (size_t d = 0; d < matches.detections.size(); ++d) {
      ImageMatches::Detection& detection = matches.detections[d];
      const size_t match = best_truth(input, d, thresholds[t], order, ignored, taken);
      bool is_ignored = false;
      if (match == kNone) {
        is_ignored = outside(input.detection_areas[d], kAreaRanges[range]);
      } else {
        taken[match] = true;
        detection.matched[range] |= bit;
        is_ignored = ignored[match];
      }
      if (is_ignored) detection.ignored[range] |= bit;
    }
  }
}

}  // namespace

std::array<double, kNumIouThresholds> coco_iou_thresholds() {
  std::array<double, kNumIouThresholds> thresholds{};
  constexpr double kStep = (0.95 - 0.5) / 9;
  for (size_t i = 0; i < thresholds.size(); ++i) {
    thresholds[i] = static_cast<double>(i) * kStep + 0.5;
  }
  thresholds.back() = 0.95;
  return thresholds;
}

ImageMatches match_image(int64_t image_id, const MatchInput& input) {
  ImageMatches matches;
  matches.image_id = image_id;
  for (const double score : input.scores) {
    ImageMatches::Detection detection;
    detection.score = score;
    matches.detections.push_back(detection);
  }
  for (size_t range = 0; range < kNumAreaRanges; ++range) match_range(input, range, matches);
  return matches;
}

}  // namespace mrcnn
