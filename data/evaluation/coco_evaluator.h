// COCO's evaluation of detections: average precision and recall over boxes or masks, image by
// image, so that nothing but outcomes is kept. Equals pycocotools to the last bit, its two oddities
// on demand.
// Source: Lin et al. 2014; pycocotools cocoeval.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "data/evaluation/coco_curves.h"
#include "data/evaluation/evaluated_objects.h"
#include "data/evaluation/match_table.h"
#include "data/evaluation/mistakes.h"

namespace mrcnn {

struct CocoEvaluatorOptions {
  // As pycocotools: an object whose id is 0 is never found, though it is taken.
  bool strict_ids = false;
  // As pycocotools where the first of the results states a box: kMask too takes a detection's size
  // from its box.
  bool strict_areas = false;
  int64_t num_mistakes = 0;  // of each kind that mistakes() lists
};

class CocoEvaluator {
 public:
  // Detections and objects of other categories are not counted.
  CocoEvaluator(std::vector<int64_t> categories, IouKind kind,
                const CocoEvaluatorOptions& options = {});

  // Each image once, in any order and from any number of threads at the same time; the numbers do
  // not depend on either. An image without objects and detections counts for resampling only.
  // Detections in any order; of equal scores the first counts first. Throws Error with
  // ExitCode::kData for a score that is not a number, before anything is counted.
  void add(int64_t image_id, std::span<const EvaluatedTruth> truths,
           std::span<const EvaluatedDetection> detections);

  // Of all images so far. Throws Error with ExitCode::kData if an image was added twice.
  MatchTable matches() const;
  Mistakes mistakes() const;
  CocoSummary summary() const { return summarize(CocoCurves(matches())); }

 private:
  struct ImageOfClass {  // detections from first_detection on
    int64_t image_id;
    MatchedImage matched;
  };
  struct Class {
    int64_t category = 0;
    std::vector<ImageOfClass> images;
    std::vector<MatchedDetection> detections;
  };
  static ClassMatches sorted_matches(const Class& one, const std::vector<int64_t>& image_ids);

  IouKind kind_;
  CocoEvaluatorOptions options_;
  mutable std::mutex mutex_;  // of all below
  std::vector<int64_t> image_ids_;
  std::vector<Class> classes_;  // ascending category
  MistakeCollector mistakes_;
};

}  // namespace mrcnn
