#include "data/evaluation/matching.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace mrcnn {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);
constexpr uint32_t kAllThresholds = (1U << kNumIouThresholds) - 1;

bool outside(double area, const AreaRange& range) {
  return area < range.least || area > range.most;
}

// For each detection the objects that it overlaps enough for the lowest threshold. Nearly always
// there are none or one.
class Candidates {
 public:
  Candidates(const MatchInput& input, double least_iou) {
    const size_t num_truths = input.truth_areas.size();
    begins_.push_back(0);
    for (size_t d = 0; d < input.scores.size(); ++d) {
      for (size_t g = 0; g < num_truths; ++g) {
        if (input.iou[d * num_truths + g] >= least_iou) truths_.push_back(g);
      }
      begins_.push_back(truths_.size());
    }
  }
  std::span<const size_t> of(size_t d) const {
    return std::span(truths_).subspan(begins_[d], begins_[d + 1] - begins_[d]);
  }

 private:
  std::vector<size_t> truths_;
  std::vector<size_t> begins_;
};

// One range of sizes after another.
class RangeMatcher {
 public:
  explicit RangeMatcher(const MatchInput& input)
      : input_(input), ignored_(input.truth_areas.size()), taken_(input.truth_areas.size()) {}

  void begin(const AreaRange& range) {
    std::fill(taken_.begin(), taken_.end(), uint16_t{0});
    for (size_t g = 0; g < ignored_.size(); ++g) {
      ignored_[g] = input_.crowd[g] != 0 || outside(input_.truth_areas[g], range) ? 1 : 0;
    }
  }

  uint32_t num_truths() const {
    uint32_t count = 0;
    for (const uint8_t ignored : ignored_) count += 1U - ignored;
    return count;
  }

  // One that counts before any that is ignored.
  size_t take(size_t d, size_t t, double threshold, std::span<const size_t> candidates) {
    size_t match = best(d, t, threshold, candidates, 0);
    if (match == kNone) match = best(d, t, threshold, candidates, 1);
    if (match != kNone) taken_[match] |= static_cast<uint16_t>(1U << t);
    return match;
  }

  bool is_ignored(size_t g) const { return ignored_[g] != 0; }
  const std::vector<uint16_t>& taken() const { return taken_; }

 private:
  // The largest IoU of those that may be taken, the later one on ties.
  size_t best(size_t d, size_t t, double threshold, std::span<const size_t> candidates,
              uint8_t ignored) const {
    size_t match = kNone;
    double best_iou = threshold;
    for (const size_t g : candidates) {
      if (ignored_[g] != ignored) continue;
      if (((taken_[g] >> t) & 1U) != 0 && input_.crowd[g] == 0) continue;
      const double iou = input_.iou[d * ignored_.size() + g];
      if (iou < best_iou) continue;
      best_iou = iou;
      match = g;
    }
    return match;
  }

  const MatchInput& input_;
  std::vector<uint8_t> ignored_;
  std::vector<uint16_t> taken_;  // bit t: at threshold t
};

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

ImageMatches match_image(const MatchInput& input) {
  const size_t num_detections = input.scores.size(), num_truths = input.truth_areas.size();
  ImageMatches matches;
  matches.detections.resize(num_detections);
  matches.found.assign(num_truths, 0);
  const auto thresholds = coco_iou_thresholds();
  const Candidates candidates(input, thresholds.front());
  RangeMatcher matcher(input);
  for (size_t range = 0; range < kNumAreaRanges; ++range) {
    matcher.begin(kAreaRanges[range]);
    matches.num_truths[range] = matcher.num_truths();
    for (size_t d = 0; d < num_detections; ++d) {
      uint32_t matched = 0, ignored = 0;
      if (!candidates.of(d).empty()) {
        for (size_t t = 0; t < kNumIouThresholds; ++t) {
          const size_t match = matcher.take(d, t, thresholds[t], candidates.of(d));
          if (match == kNone) continue;
          if (input.never_found[match] == 0) matched |= 1U << t;
          if (matcher.is_ignored(match)) ignored |= 1U << t;
        }
      }
      if (outside(input.detection_areas[d], kAreaRanges[range]))
        ignored |= kAllThresholds & ~matched;
      matches.detections[d].score = input.scores[d];
      matches.detections[d].matched[range] = static_cast<uint16_t>(matched);
      matches.detections[d].ignored[range] = static_cast<uint16_t>(ignored);
    }
    if (range == 0) matches.found = matcher.taken();
  }
  return matches;
}

}  // namespace mrcnn
