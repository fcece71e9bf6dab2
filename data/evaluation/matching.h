// Which detections of one class in one image find an object, at every threshold and for every range
// of object sizes.
// Source: pycocotools cocoeval.py evaluateImg.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
  std::vector<uint8_t> crowd;           // G, 0 or 1
  std::vector<uint8_t> never_found;  // G, 0 or 1; it is taken, but that does not count as a match
  std::vector<double> iou;           // D * G, detection outermost
};

// Bit t of an entry belongs to threshold t. Neither bit: a wrong detection.
struct MatchedDetection {
  double score = 0;
  std::array<uint16_t, kNumAreaRanges> matched{};
  std::array<uint16_t, kNumAreaRanges> ignored{};  // neither right nor wrong
};

struct ImageMatches {
  std::vector<MatchedDetection> detections;           // in the order of the input
  std::array<uint32_t, kNumAreaRanges> num_truths{};  // that must be found
  std::vector<uint16_t> found;                        // G, by any detection; all sizes
};

ImageMatches match_image(const MatchInput& input);

}  // namespace mrcnn
