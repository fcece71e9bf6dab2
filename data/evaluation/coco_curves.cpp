#include "data/evaluation/coco_curves.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

#include "core/parallel.h"
#include "data/evaluation/ranking.h"

namespace mrcnn {
namespace {

constexpr size_t kWithAll = kNumLimits - 1;  // limit of detections
constexpr size_t kAt50 = 0, kAt75 = 5, kLast = kNumIouThresholds - 1;

// How many objects must be found for each recall.
std::array<int64_t, kNumRecalls> needed_for(int64_t num_truths) {
  const auto recalls = coco_recalls();
  std::array<int64_t, kNumRecalls> needed{};
  int64_t found = 0;
  for (size_t r = 0; r < kNumRecalls; ++r) {
    while (static_cast<double>(found) / static_cast<double>(num_truths) < recalls[r]) ++found;
    needed[r] = found;
  }
  return needed;
}

// The detections that are right at one threshold, by falling score: how precise all up to each are.
struct RightOnes {
  std::vector<double> precision;
  std::vector<double> score;
};

// At all thresholds at once, for one range of sizes.
std::array<RightOnes, kNumIouThresholds> right_ones(const Ranking& ranking, size_t a,
                                                    int64_t limit) {
  std::array<RightOnes, kNumIouThresholds> right;
  std::array<int32_t, kNumIouThresholds> found{}, wrong{};
  for (const RankedDetection& ranked : ranking.detections) {
    if (ranked.rank >= limit) continue;
    const MatchedDetection& detection = *ranked.detection;
    const uint32_t counts = ~uint32_t{detection.ignored[a]};
    const uint32_t is_found = detection.matched[a] & counts;
    const uint32_t is_wrong = ~uint32_t{detection.matched[a]} & counts;
    for (size_t t = 0; t < kNumIouThresholds; ++t) {
      found[t] += static_cast<int32_t>((is_found >> t) & 1U);
      wrong[t] += static_cast<int32_t>((is_wrong >> t) & 1U);
    }
    for (uint32_t bits = is_found; bits != 0; bits &= bits - 1) {
      const auto t = static_cast<size_t>(std::countr_zero(bits));
      const double count = found[t];
      right[t].precision.push_back(count /
                                   (wrong[t] + count + std::numeric_limits<double>::epsilon()));
      right[t].score.push_back(detection.score);
    }
  }
  for (RightOnes& one : right) {
    for (size_t i = one.precision.size(); i-- > 1;) {
      one.precision[i - 1] = std::max(one.precision[i - 1], one.precision[i]);
    }
  }
  return right;
}

// Means over thresholds, recalls and classes in numpy's order of what is there.
double mean_precision(const CocoCurves& curves, NumpySum sum, size_t first_k, size_t end_k,
                      size_t a, size_t first_t, size_t last_t) {
  std::vector<double> values;
  for (size_t t = first_t; t <= last_t; ++t) {
    for (size_t r = 0; r < kNumRecalls; ++r) {
      for (size_t k = first_k; k < end_k; ++k) {
        const double value = curves.precision(t, r, k, a, kWithAll);
        if (value > -1) values.push_back(value);
      }
    }
  }
  return numpy_mean(values, sum);
}

double mean_recall(const CocoCurves& curves, NumpySum sum, size_t first_k, size_t end_k, size_t a,
                   size_t m) {
  std::vector<double> values;
  for (size_t t = 0; t < kNumIouThresholds; ++t) {
    for (size_t k = first_k; k < end_k; ++k) {
      const double value = curves.recall(t, k, a, m);
      if (value > -1) values.push_back(value);
    }
  }
  return numpy_mean(values, sum);
}

CocoValues values_of(const CocoCurves& curves, NumpySum sum, size_t first_k, size_t end_k) {
  const auto precision = [&](size_t a, size_t first_t, size_t last_t) {
    return mean_precision(curves, sum, first_k, end_k, a, first_t, last_t);
  };
  const auto recall = [&](size_t a, size_t m) {
    return mean_recall(curves, sum, first_k, end_k, a, m);
  };
  return {precision(0, 0, kLast),
          precision(0, kAt50, kAt50),
          precision(0, kAt75, kAt75),
          precision(1, 0, kLast),
          precision(2, 0, kLast),
          precision(3, 0, kLast),
          recall(0, 0),
          recall(0, 1),
          recall(0, kWithAll),
          recall(1, kWithAll),
          recall(2, kWithAll),
          recall(3, kWithAll)};
}

}  // namespace

std::array<double, kNumRecalls> coco_recalls() {
  std::array<double, kNumRecalls> recalls{};
  for (size_t i = 0; i < recalls.size(); ++i) recalls[i] = static_cast<double>(i) * (1.0 / 100);
  recalls.back() = 1;
  return recalls;
}

CocoCurves::CocoCurves(const MatchTable& matches) {
  const size_t num_classes = matches.classes.size();
  std::vector<Ranking> rankings(num_classes);
  parallel_for(0, static_cast<int64_t>(num_classes), 1, [&](int64_t begin, int64_t end) {
    for (auto k = static_cast<size_t>(begin); k < static_cast<size_t>(end); ++k) {
      rankings[k] = rank_detections(matches.classes[k]);
    }
  });
  for (const ClassMatches& one : matches.classes) {
    categories_.push_back(one.category);
    num_truths_.push_back(count_truths(one));
    num_detections_.push_back(static_cast<int64_t>(one.detections.size()));
  }
  curves_.resize(num_classes * kNumAreaRanges * kNumLimits * kNumIouThresholds);
  // Classes differ much in size, so the parts are small.
  const auto num_parts = static_cast<int64_t>(num_classes * kNumAreaRanges);
  parallel_for(0, num_parts, 1, [&](int64_t begin, int64_t end) {
    for (auto part = static_cast<size_t>(begin); part < static_cast<size_t>(end); ++part) {
      const size_t k = part / kNumAreaRanges, a = part % kNumAreaRanges;
      draw_curves(rankings[k], k, a);
    }
  });
}

void CocoCurves::draw_curves(const Ranking& ranking, size_t k, size_t a) {
  const int64_t num_truths = num_truths_[k][a];
  Curve* curve = &curves_[curve_index(0, k, a, 0)];
  if (num_truths == 0) {
    Curve nothing;
    nothing.precision.fill(-1);
    nothing.score.fill(-1);
    nothing.recall = -1;
    std::fill_n(curve, kNumLimits * kNumIouThresholds, nothing);
    return;
  }
  const auto needed = needed_for(num_truths);
  for (const int64_t limit : kDetectionLimits) {
    for (const RightOnes& right : right_ones(ranking, a, limit)) {
      const size_t found = right.precision.size();
      curve->recall = static_cast<double>(found) / static_cast<double>(num_truths);
      for (size_t r = 0; r < kNumRecalls; ++r) {
        const auto count = static_cast<size_t>(needed[r]);
        const bool reached = found > 0 && count <= found;
        curve->precision[r] = reached ? right.precision[count == 0 ? 0 : count - 1] : 0;
        curve->score[r] = reached && count > 0 ? right.score[count - 1] : 0;
      }
      // Recall 0 is reached with the very first detection, right or wrong.
      if (!ranking.detections.empty()) {
        curve->score[0] = ranking.detections.front().detection->score;
      }
      ++curve;
    }
  }
}

double CocoCurves::precision(size_t t, size_t r, size_t k, size_t a, size_t m) const {
  return curves_[curve_index(t, k, a, m)].precision[r];
}
double CocoCurves::score(size_t t, size_t r, size_t k, size_t a, size_t m) const {
  return curves_[curve_index(t, k, a, m)].score[r];
}
double CocoCurves::recall(size_t t, size_t k, size_t a, size_t m) const {
  return curves_[curve_index(t, k, a, m)].recall;
}

CocoSummary summarize(const CocoCurves& curves, NumpySum sum) {
  const size_t num_classes = curves.categories().size();
  CocoSummary summary;
  summary.values = values_of(curves, sum, 0, num_classes);
  for (size_t k = 0; k < num_classes; ++k) {
    summary.classes[curves.categories()[k]] = values_of(curves, sum, k, k + 1);
  }
  return summary;
}

}  // namespace mrcnn
