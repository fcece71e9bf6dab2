#include "data/evaluation/confusion.h"

#include <algorithm>
#include <tuple>

#include "data/evaluation/overlaps.h"

namespace mrcnn {
namespace {

struct Pair {
  double iou;
  double score;
  size_t detection;
  size_t truth;
};

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::vector<int64_t> categories, IouKind kind,
                                 const ConfusionOptions& options)
    : categories_(std::move(categories)), kind_(kind), options_(options) {
  std::sort(categories_.begin(), categories_.end());
  categories_.erase(std::unique(categories_.begin(), categories_.end()), categories_.end());
  counts_.assign((categories_.size() + 1) * (categories_.size() + 1), 0);
}

void ConfusionMatrix::add(std::span<const EvaluatedTruth> truths,
                          std::span<const EvaluatedDetection> detections) {
  const size_t nothing = categories_.size();
  const auto index_of = [&](int64_t category) {
    const auto found = std::lower_bound(categories_.begin(), categories_.end(), category);
    return found != categories_.end() && *found == category
               ? static_cast<size_t>(found - categories_.begin())
               : nothing;
  };
  std::vector<const EvaluatedTruth*> wanted;
  for (const EvaluatedTruth& truth : truths) {
    if (index_of(truth.category) != nothing) wanted.push_back(&truth);
  }
  std::vector<const EvaluatedDetection*> found;
  for (const EvaluatedDetection& detection : detections) {
    if (detection.score >= options_.least_score && index_of(detection.category) != nothing) {
      found.push_back(&detection);
    }
  }
  const std::vector<double> iou = overlaps(kind_, found, wanted);
  std::vector<bool> in_crowd(found.size(), false);
  std::vector<Pair> pairs;
  for (size_t i = 0; i < iou.size(); ++i) {
    const size_t d = i / wanted.size(), g = i % wanted.size();
    if (iou[i] < options_.least_iou) continue;
    if (wanted[g]->crowd) {
      in_crowd[d] = true;
    } else {
      pairs.push_back({.iou = iou[i], .score = found[d]->score, .detection = d, .truth = g});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tuple(-a.iou, -a.score, a.detection, a.truth) <
           std::tuple(-b.iou, -b.score, b.detection, b.truth);
  });
  std::vector<size_t> taken_by(wanted.size(), nothing);
  std::vector<bool> is_taken(wanted.size(), false), is_used(found.size(), false);
  for (const Pair& pair : pairs) {
    if (is_taken[pair.truth] || is_used[pair.detection]) continue;
    is_taken[pair.truth] = is_used[pair.detection] = true;
    taken_by[pair.truth] = index_of(found[pair.detection]->category);
  }

  const std::lock_guard lock(mutex_);
  const auto count = [&](size_t truth, size_t detection) {
    ++counts_[truth * (nothing + 1) + detection];
  };
  for (size_t g = 0; g < wanted.size(); ++g) {
    if (!wanted[g]->crowd) count(index_of(wanted[g]->category), taken_by[g]);
  }
  for (size_t d = 0; d < found.size(); ++d) {
    if (!is_used[d] && !in_crowd[d]) count(nothing, index_of(found[d]->category));
  }
}

int64_t ConfusionMatrix::count(size_t truth, size_t found) const {
  const std::lock_guard lock(mutex_);
  return counts_.at(truth * (categories_.size() + 1) + found);
}

}  // namespace mrcnn
