// COCO's precision and recall curves and the numbers that are read off them.
// Source: pycocotools cocoeval.py accumulate and summarize.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "data/evaluation/match_table.h"
#include "data/evaluation/numpy_mean.h"
#include "data/evaluation/ranking.h"

namespace mrcnn {

inline constexpr size_t kNumRecalls = 101;  // 0.00, 0.01 .. 1.00
inline constexpr std::array<int64_t, 3> kDetectionLimits = {1, 10, kMaxDetections};
inline constexpr size_t kNumLimits = kDetectionLimits.size();

std::array<double, kNumRecalls> coco_recalls();  // to the last bit

// Indices are pycocotools': t threshold, r recall, k class, a range of sizes (kAreaRanges), m limit
// of detections (kDetectionLimits). -1 where a class has no object to find in a range.
class CocoCurves {
 public:
  explicit CocoCurves(const MatchTable& matches);

  const std::vector<int64_t>& categories() const { return categories_; }  // ascending
  // Objects to find and detections (at most 100 an image) of a class, crowds left out.
  int64_t num_truths(size_t k, size_t a) const { return num_truths_[k][a]; }
  int64_t num_detections(size_t k) const { return num_detections_[k]; }

  // The largest precision at this recall or above, 0 where the recall is never reached.
  double precision(size_t t, size_t r, size_t k, size_t a, size_t m) const;
  // The score of the detection that reaches the recall; 0 where it is never reached.
  double score(size_t t, size_t r, size_t k, size_t a, size_t m) const;
  double recall(size_t t, size_t k, size_t a, size_t m) const;  // with all detections

 private:
  struct Curve {  // of one class, range, limit and threshold
    std::array<double, kNumRecalls> precision;
    std::array<double, kNumRecalls> score;
    double recall;
  };
  static size_t curve_index(size_t t, size_t k, size_t a, size_t m) {
    return ((k * kNumAreaRanges + a) * kNumLimits + m) * kNumIouThresholds + t;
  }
  void draw_curves(const Ranking& ranking, size_t k, size_t a);

  std::vector<int64_t> categories_;
  std::vector<std::array<int64_t, kNumAreaRanges>> num_truths_;
  std::vector<int64_t> num_detections_;
  std::vector<Curve> curves_;
};

inline constexpr std::array<std::string_view, 12> kCocoMetrics = {
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};
using CocoValues = std::array<double, 12>;  // of kCocoMetrics; -1: nothing to find

struct CocoSummary {
  CocoValues values{};
  std::map<int64_t, CocoValues> classes;  // by category: the same numbers of one class alone
};

// Means as numpy computes them. Versions differ in the last bit where there are many classes.
CocoSummary summarize(const CocoCurves& curves, NumpySum sum = NumpySum::kBlocks);

}  // namespace mrcnn
