#include "data/evaluation/voc_evaluator.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "data/evaluation/overlaps.h"
#include "data/evaluation/voc_ap.h"

namespace mrcnn {
namespace {

enum class Verdict { kRight, kWrong, kNeither };

bool need_not_be_found(const EvaluatedTruth& truth) { return truth.difficult || truth.crowd; }

// Of detections by falling score.
std::vector<Verdict> judge(std::span<const EvaluatedTruth* const> truths, size_t num_detections,
                           std::span<const double> iou, double least_iou) {
  std::vector<Verdict> verdicts;
  std::vector<bool> taken(truths.size(), false);
  for (size_t d = 0; d < num_detections; ++d) {
    const std::span<const double> row = iou.subspan(d * truths.size(), truths.size());
    const auto largest = std::max_element(row.begin(), row.end());
    if (largest == row.end() || *largest < least_iou) {
      verdicts.push_back(Verdict::kWrong);
      continue;
    }
    const auto g = static_cast<size_t>(largest - row.begin());
    if (need_not_be_found(*truths[g])) {
      verdicts.push_back(Verdict::kNeither);
    } else {
      verdicts.push_back(taken[g] ? Verdict::kWrong : Verdict::kRight);
      taken[g] = true;
    }
  }
  return verdicts;
}

}  // namespace

VocEvaluator::VocEvaluator(std::vector<int64_t> categories, IouKind kind, double least_iou)
    : kind_(kind), least_iou_(least_iou) {
  for (const int64_t category : categories) classes_[category];
}

void VocEvaluator::add(int64_t image_id, std::span<const EvaluatedTruth> truths,
                       std::span<const EvaluatedDetection> detections) {
  for (const auto& [category, unused] : classes_) {
    std::vector<const EvaluatedTruth*> wanted;
    for (const EvaluatedTruth& truth : truths) {
      if (truth.category == category) wanted.push_back(&truth);
    }
    std::vector<const EvaluatedDetection*> found;
    for (const EvaluatedDetection& detection : detections) {
      if (detection.category == category) found.push_back(&detection);
    }
    if (wanted.empty() && found.empty()) continue;
    std::stable_sort(found.begin(), found.end(),
                     [](const EvaluatedDetection* a, const EvaluatedDetection* b) {
                       return a->score > b->score;
                     });
    const std::vector<double> iou = overlaps(kind_, found, wanted);
    const std::vector<Verdict> verdicts = judge(wanted, found.size(), iou, least_iou_);

    const std::lock_guard lock(mutex_);
    Class& one = classes_.at(category);
    for (const EvaluatedTruth* truth : wanted) one.num_truths += need_not_be_found(*truth) ? 0 : 1;
    for (size_t d = 0; d < found.size(); ++d) {
      if (verdicts[d] == Verdict::kNeither) continue;
      one.outcomes.push_back({.score = found[d]->score,
                              .image_id = image_id,
                              .right = verdicts[d] == Verdict::kRight});
    }
  }
}

VocSummary VocEvaluator::summary() const {
  const std::lock_guard lock(mutex_);
  VocSummary summary;
  double sum_2007 = 0, sum_2012 = 0;
  int64_t num_classes = 0;
  for (const auto& [category, one] : classes_) {
    VocAp& ap = summary.classes[category];
    if (one.num_truths == 0) continue;
    std::vector<Outcome> outcomes = one.outcomes;
    // Those of one image stand together in their order.
    std::stable_sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) {
      return std::tuple(-a.score, a.image_id) < std::tuple(-b.score, b.image_id);
    });
    std::vector<double> recall, precision;
    double right = 0, wrong = 0;
    for (const Outcome& outcome : outcomes) {
      (outcome.right ? right : wrong) += 1;
      recall.push_back(right / static_cast<double>(one.num_truths));
      precision.push_back(right / (right + wrong));
    }
    ap = {.ap_2007 = voc_ap_2007(recall, precision), .ap_2012 = voc_ap_2012(recall, precision)};
    sum_2007 += ap.ap_2007;
    sum_2012 += ap.ap_2012;
    ++num_classes;
  }
  if (num_classes > 0) {
    summary.mean = {.ap_2007 = sum_2007 / static_cast<double>(num_classes),
                    .ap_2012 = sum_2012 / static_cast<double>(num_classes)};
  }
  return summary;
}

}  // namespace mrcnn
