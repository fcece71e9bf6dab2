#include "data/evaluation/coco_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "data/evaluation/overlaps.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

// The objects and detections of one class in an image, detections by falling score.
struct ClassObjects {
  std::vector<const EvaluatedTruth*> truths;
  std::vector<const EvaluatedDetection*> detections;
};

void sort_and_cut(std::vector<const EvaluatedDetection*>& detections) {
  std::stable_sort(
      detections.begin(), detections.end(),
      [](const EvaluatedDetection* a, const EvaluatedDetection* b) { return a->score > b->score; });
  if (detections.size() > static_cast<size_t>(kMaxDetections)) detections.resize(kMaxDetections);
}

MatchInput match_input(const ClassObjects& objects, IouKind kind,
                       const CocoEvaluatorOptions& options) {
  MatchInput input;
  for (const EvaluatedTruth* truth : objects.truths) {
    input.truth_areas.push_back(truth->area);
    input.crowd.push_back(truth->crowd ? 1 : 0);
    input.never_found.push_back(options.strict_ids && truth->id == 0 ? 1 : 0);
  }
  const bool area_of_box = kind == IouKind::kBox || options.strict_areas;
  for (const EvaluatedDetection* detection : objects.detections) {
    input.scores.push_back(detection->score);
    input.detection_areas.push_back(area_of_box ? detection->box[2] * detection->box[3]
                                                : static_cast<double>(rle_area(detection->mask)));
  }
  input.iou = overlaps(kind, objects.detections, objects.truths);
  return input;
}

// Adds what is wrong of one class in one image at the lowest threshold.
class MistakeFinder {
 public:
  MistakeFinder(int64_t image_id, std::span<const EvaluatedTruth> truths,
                std::span<const EvaluatedDetection> detections, MistakeCollector& collector)
      : image_id_(image_id), truths_(truths), detections_(detections), collector_(collector) {}

  void find(const ClassObjects& objects, const MatchInput& input, const ImageMatches& matches) {
    const size_t num_truths = objects.truths.size();
    std::vector<double> best_of_truth(num_truths, 0);
    for (size_t d = 0; d < objects.detections.size(); ++d) {
      double best = 0;
      for (size_t g = 0; g < num_truths; ++g) {
        const double iou = input.iou[d * num_truths + g];
        best_of_truth[g] = std::max(best_of_truth[g], iou);
        best = std::max(best, iou);
      }
      const MatchedDetection& outcome = matches.detections[d];
      if (((outcome.matched[0] | outcome.ignored[0]) & 1U) == 0) {
        const EvaluatedDetection& wrong = *objects.detections[d];
        collector_.add(FalsePositive{.image_id = image_id_,
                                     .category = wrong.category,
                                     .score = wrong.score,
                                     .box = wrong.box,
                                     .index = &wrong - detections_.data(),
                                     .best_iou = best});
      }
    }
    for (size_t g = 0; g < num_truths; ++g) {
      const EvaluatedTruth& truth = *objects.truths[g];
      if (truth.crowd || (matches.found[g] & 1U) != 0) continue;
      collector_.add(Miss{.image_id = image_id_,
                          .category = truth.category,
                          .id = truth.id,
                          .area = truth.area,
                          .box = truth.box,
                          .index = &truth - truths_.data(),
                          .best_iou = best_of_truth[g]});
    }
  }

 private:
  int64_t image_id_;
  std::span<const EvaluatedTruth> truths_;
  std::span<const EvaluatedDetection> detections_;
  MistakeCollector& collector_;
};

}  // namespace

CocoEvaluator::CocoEvaluator(std::vector<int64_t> categories, IouKind kind,
                             const CocoEvaluatorOptions& options)
    : kind_(kind), options_(options), mistakes_(options.num_mistakes) {
  std::sort(categories.begin(), categories.end());
  categories.erase(std::unique(categories.begin(), categories.end()), categories.end());
  for (const int64_t category : categories) {
    classes_.push_back({.category = category, .images = {}, .detections = {}});
  }
}

void CocoEvaluator::add(int64_t image_id, std::span<const EvaluatedTruth> truths,
                        std::span<const EvaluatedDetection> detections) {
  for (const EvaluatedDetection& detection : detections) {
    if (!std::isnan(detection.score)) continue;
    throw Error(ExitCode::kData,
                fmt::format("[coco_evaluator] a detection in image {} has a score that is not a "
                            "number",
                            image_id));
  }
  std::map<size_t, ClassObjects> present;  // by index into classes_
  const auto objects_of = [&](int64_t category) -> ClassObjects* {
    const auto found =
        std::lower_bound(classes_.begin(), classes_.end(), category,
                         [](const Class& one, int64_t wanted) { return one.category < wanted; });
    if (found == classes_.end() || found->category != category) return nullptr;
    return &present[static_cast<size_t>(found - classes_.begin())];
  };
  for (const EvaluatedTruth& truth : truths) {
    if (ClassObjects* objects = objects_of(truth.category)) objects->truths.push_back(&truth);
  }
  for (const EvaluatedDetection& detection : detections) {
    if (ClassObjects* objects = objects_of(detection.category)) {
      objects->detections.push_back(&detection);
    }
  }

  std::vector<std::pair<size_t, ImageMatches>> outcomes;
  MistakeCollector mistakes(options_.num_mistakes);
  MistakeFinder finder(image_id, truths, detections, mistakes);
  for (auto& [k, objects] : present) {
    sort_and_cut(objects.detections);
    const MatchInput input = match_input(objects, kind_, options_);
    outcomes.emplace_back(k, match_image(input));
    if (options_.num_mistakes > 0) finder.find(objects, input, outcomes.back().second);
  }

  const std::lock_guard lock(mutex_);
  image_ids_.push_back(image_id);
  for (const auto& [k, outcome] : outcomes) {
    Class& one = classes_[k];
    one.images.push_back(
        {.image_id = image_id,
         .matched = {.image = 0,
                     .num_detections = static_cast<uint32_t>(outcome.detections.size()),
                     .first_detection = one.detections.size(),
                     .num_truths = outcome.num_truths}});
    one.detections.insert(one.detections.end(), outcome.detections.begin(),
                          outcome.detections.end());
  }
  const Mistakes worst = mistakes.worst();
  for (const FalsePositive& mistake : worst.false_positives) mistakes_.add(mistake);
  for (const Miss& mistake : worst.misses) mistakes_.add(mistake);
}

ClassMatches CocoEvaluator::sorted_matches(const Class& one,
                                           const std::vector<int64_t>& image_ids) {
  std::vector<const ImageOfClass*> order;
  for (const ImageOfClass& image : one.images) order.push_back(&image);
  std::sort(order.begin(), order.end(),
            [](const ImageOfClass* a, const ImageOfClass* b) { return a->image_id < b->image_id; });
  ClassMatches matches;
  matches.category = one.category;
  matches.images.reserve(order.size());
  matches.detections.reserve(one.detections.size());
  auto id = image_ids.begin();
  for (const ImageOfClass* image : order) {
    id = std::lower_bound(id, image_ids.end(), image->image_id);
    MatchedImage& matched = matches.images.emplace_back(image->matched);
    matched.image = static_cast<uint32_t>(id - image_ids.begin());
    matched.first_detection = matches.detections.size();
    const MatchedDetection* first = one.detections.data() + image->matched.first_detection;
    matches.detections.insert(matches.detections.end(), first, first + matched.num_detections);
  }
  return matches;
}

MatchTable CocoEvaluator::matches() const {
  const std::lock_guard lock(mutex_);
  MatchTable table;
  table.image_ids = image_ids_;
  std::sort(table.image_ids.begin(), table.image_ids.end());
  const auto twice = std::adjacent_find(table.image_ids.begin(), table.image_ids.end());
  if (twice != table.image_ids.end()) {
    throw Error(ExitCode::kData, fmt::format("[coco_evaluator] image {} was added twice", *twice));
  }
  table.classes.resize(classes_.size());
  parallel_for(0, static_cast<int64_t>(classes_.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto k = static_cast<size_t>(begin); k < static_cast<size_t>(end); ++k) {
      table.classes[k] = sorted_matches(classes_[k], table.image_ids);
    }
  });
  return table;
}

Mistakes CocoEvaluator::mistakes() const {
  const std::lock_guard lock(mutex_);
  return mistakes_.worst();
}

}  // namespace mrcnn
