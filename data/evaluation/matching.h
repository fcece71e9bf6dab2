// Which detections of one class in one image find an object, at every threshold and for every range
// of object sizes.
// Source: pycocotools cocoeval.py evaluateImg.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace mrcnn {

inline constexpr size_t kNumIouThresholds = 10;  // 0.50, 0.55 .. 0.95
inline constexpr size_t kNumAreaRanges = 4;      // all, small, medium, large
inline constexpr int64_t kMaxDetections = 100;   // of one class in one image

// The thresholds to the last bit: 0.5 + i * step, the last one exactly 0.95.
std::array<double, kNumIouThresholds> coco_iou_thresholds();

struct AreaRange {
  double least;  // pixels, both ends included
  double most;
};
inline constexpr std::array<AreaRange, kNumAreaRanges> kAreaRanges = {
    {{0, 1e10}, {0, 32.0 * 32.0}, {32.0 * 32.0, 96.0 * 96.0}, {96.0 * 96.0, 1e10}}};

struct MatchInput {
  std::vector<double> scores;           // D, descending
  std::vector<double> detection_areas;  // D
  std::vector<double> truth_areas;      // G, as annotated
  std::vector<bool> crowd;              // G
  std::vector<double> iou;              // D * G, detection outermost
};

// Bit t of an entry belongs to threshold t.
struct ImageMatches {
  struct Detection {
    double score = 0;
    std::array<uint16_t, kNumAreaRanges> matched{};
    std::array<uint16_t, kNumAreaRanges> ignored{};
  };
  int64_t image_id = 0;
  std::vector<Detection> detections;
  std::array<int64_t, kNumAreaRanges> num_truths{};  // that must be found
};

ImageMatches match_image(int64_t image_id, const MatchInput& input);

}  // namespace mrcnn
