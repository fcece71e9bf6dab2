// COCO's evaluation of detections: average precision and recall over boxes or masks, one image at a
// time, so that nothing but outcomes is kept. Equals pycocotools to the last bit, with one
// exception: there an object whose id is 0 is never found.
// Source: Lin et al. 2014; pycocotools cocoeval.py.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "core/rle.h"
#include "data/evaluation/mask_iou.h"
#include "data/evaluation/matching.h"

namespace mrcnn {

enum class IouKind { kBox, kMask };

// Masks are read by kMask only, boxes by kBox only.
struct EvaluatedTruth {
  int64_t category = 0;
  CocoBox box{};
  double area = 0;  // as annotated; decides the range of sizes
  bool crowd = false;
  Rle mask;
};

struct EvaluatedDetection {
  int64_t category = 0;
  double score = 0;
  CocoBox box{};
  Rle mask;
};

inline constexpr std::array<std::string_view, 12> kCocoMetrics = {
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};

struct CocoSummary {
  std::array<double, 12> values{};     // of kCocoMetrics; -1: nothing to find
  std::map<int64_t, double> class_ap;  // by category
};

class CocoEvaluator {
 public:
  // Detections and objects of other categories are not counted.
  CocoEvaluator(std::vector<int64_t> categories, IouKind kind);

  // Each image once, in any order. Detections in any order; of equal scores the first counts first.
  void add(int64_t image_id, std::span<const EvaluatedTruth> truths,
           std::span<const EvaluatedDetection> detections);

  CocoSummary summary() const;

 private:
  void add_category(int64_t image_id, int64_t category, std::span<const EvaluatedTruth> truths,
                    std::span<const EvaluatedDetection> detections);

  IouKind kind_;
  std::map<int64_t, std::vector<ImageMatches>> matches_;  // by category
};

}  // namespace mrcnn
