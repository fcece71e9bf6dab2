#include "data/evaluation/coco_evaluator.h"

#include <algorithm>
#include <set>

#include "core/parallel.h"
#include "data/evaluation/numpy_mean.h"
#include "data/evaluation/precision.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

constexpr std::array<int64_t, 3> kDetectionLimits = {1, 10, kMaxDetections};

// All that the twelve numbers are made of, of one class.
struct ClassCurves {
  // [area range][threshold], with all detections
  std::array<std::array<PrecisionCurve, kNumIouThresholds>, kNumAreaRanges> by_area;
  // [limit][threshold], all sizes
  std::array<std::array<double, kNumIouThresholds>, 3> recall_by_limit;
};

ClassCurves curves_of(std::vector<ImageMatches> images) {
  std::sort(images.begin(), images.end(),
            [](const ImageMatches& a, const ImageMatches& b) { return a.image_id < b.image_id; });
  ClassCurves curves{};
  for (size_t t = 0; t < kNumIouThresholds; ++t) {
    for (size_t range = 0; range < kNumAreaRanges; ++range) {
      curves.by_area[range][t] = precision_curve(images, t, range, kMaxDetections);
    }
    for (size_t limit = 0; limit < kDetectionLimits.size(); ++limit) {
      curves.recall_by_limit[limit][t] =
          precision_curve(images, t, 0, kDetectionLimits[limit]).recall;
    }
  }
  return curves;
}

double mean_precision(std::span<const ClassCurves> classes, size_t range, size_t first_threshold,
                      size_t last_threshold) {
  std::vector<double> values;  // thresholds, recalls, classes: numpy's order
  for (size_t t = first_threshold; t <= last_threshold; ++t) {
    for (size_t r = 0; r < kNumRecalls; ++r) {
      for (const ClassCurves& one : classes) {
        const double value = one.by_area[range][t].precision[r];
        if (value > -1) values.push_back(value);
      }
    }
  }
  return numpy_mean(values);
}

template <typename RecallOf>
double mean_recall(std::span<const ClassCurves> classes, RecallOf recall_of) {
  std::vector<double> values;
  for (size_t t = 0; t < kNumIouThresholds; ++t) {
    for (const ClassCurves& one : classes) {
      const double value = recall_of(one, t);
      if (value > -1) values.push_back(value);
    }
  }
  return numpy_mean(values);
}

}  // namespace

CocoEvaluator::CocoEvaluator(std::vector<int64_t> categories, IouKind kind) : kind_(kind) {
  for (const int64_t category : categories) matches_[category];
}

void CocoEvaluator::add(int64_t image_id, std::span<const EvaluatedTruth> truths,
                        std::span<const EvaluatedDetection> detections) {
  std::set<int64_t> present;
  for (const EvaluatedTruth& truth : truths) present.insert(truth.category);
  for (const EvaluatedDetection& detection : detections) present.insert(detection.category);
  for (const int64_t category : present) {
    if (matches_.contains(category)) add_category(image_id, category, truths, detections);
  }
}

void CocoEvaluator::add_category(int64_t image_id, int64_t category,
                                 std::span<const EvaluatedTruth> truths,
                                 std::span<const EvaluatedDetection> detections) {
  std::vector<const EvaluatedTruth*> wanted;
  for (const EvaluatedTruth& truth : truths) {
    if (truth.category == category) wanted.push_back(&truth);
  }
  std::vector<const EvaluatedDetection*> found;
  for (const EvaluatedDetection& detection : detections) {
    if (detection.category == category) found.push_back(&detection);
  }
  std::stable_sort(
      found.begin(), found.end(),
      [](const EvaluatedDetection* a, const EvaluatedDetection* b) { return a->score > b->score; });
  if (found.size() > static_cast<size_t>(kMaxDetections)) found.resize(kMaxDetections);

  std::vector<BoxedMask> wanted_masks;
  if (kind_ == IouKind::kMask) {
    for (const EvaluatedTruth* truth : wanted) wanted_masks.emplace_back(truth->mask);
  }
  MatchInput input;
  for (const EvaluatedTruth* truth : wanted) {
    input.truth_areas.push_back(truth->area);
    input.crowd.push_back(truth->crowd);
  }
  for (const EvaluatedDetection* detection : found) {
    input.scores.push_back(detection->score);
    input.detection_areas.push_back(kind_ == IouKind::kBox
                                        ? detection->box[2] * detection->box[3]
                                        : static_cast<double>(rle_area(detection->mask)));
    if (kind_ == IouKind::kBox) {
      for (const EvaluatedTruth* truth : wanted) {
        input.iou.push_back(coco_box_iou(detection->box, truth->box, truth->crowd));
      }
      continue;
    }
    const BoxedMask mask(detection->mask);
    for (size_t g = 0; g < wanted.size(); ++g) {
      input.iou.push_back(coco_mask_iou(mask, wanted_masks[g], wanted[g]->crowd));
    }
  }
  matches_[category].push_back(match_image(image_id, input));
}

CocoSummary CocoEvaluator::summary() const {
  std::vector<const std::vector<ImageMatches>*> images;
  for (const auto& [category, matches] : matches_) images.push_back(&matches);
  std::vector<ClassCurves> classes(images.size());
  parallel_for(0, static_cast<int64_t>(images.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      classes[i] = curves_of(*images[i]);
    }
  });

  constexpr size_t kLast = kNumIouThresholds - 1, kAt75 = 5;
  CocoSummary summary;
  const auto recall_at = [&](size_t limit) {
    return mean_recall(classes, [limit](const ClassCurves& one, size_t t) {
      return one.recall_by_limit[limit][t];
    });
  };
  const auto recall_in = [&](size_t range) {
    return mean_recall(classes, [range](const ClassCurves& one, size_t t) {
      return one.by_area[range][t].recall;
    });
  };
  summary.values = {mean_precision(classes, 0, 0, kLast),
                    mean_precision(classes, 0, 0, 0),
                    mean_precision(classes, 0, kAt75, kAt75),
                    mean_precision(classes, 1, 0, kLast),
                    mean_precision(classes, 2, 0, kLast),
                    mean_precision(classes, 3, 0, kLast),
                    recall_at(0),
                    recall_at(1),
                    recall_at(2),
                    recall_in(1),
                    recall_in(2),
                    recall_in(3)};
  size_t i = 0;
  for (const auto& [category, matches] : matches_) {
    summary.class_ap[category] = mean_precision(std::span(classes).subspan(i++, 1), 0, 0, kLast);
  }
  return summary;
}

}  // namespace mrcnn
