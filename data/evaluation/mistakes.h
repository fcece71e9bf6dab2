// The mistakes that are most worth looking at: wrong detections by falling score and missed objects
// by falling area, at an IoU of 0.5, objects of all sizes. Crowds are never missed, and a detection
// in one is not wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "data/evaluation/mask_iou.h"

namespace mrcnn {

struct FalsePositive {
  int64_t image_id = 0;
  int64_t category = 0;
  double score = 0;
  CocoBox box{};
  int64_t index = 0;  // in the span of detections that was added
  // The largest with an object of the class in the image, 0 if there is none. From 0.5 on the
  // object was found by another detection.
  double best_iou = 0;
};

struct Miss {
  int64_t image_id = 0;
  int64_t category = 0;
  int64_t id = 0;  // of the object
  double area = 0;
  CocoBox box{};
  int64_t index = 0;  // in the span of objects that was added
  double best_iou = 0;
};

// Of equal ones the first by image id and index comes first, whatever the order of images was.
struct Mistakes {
  std::vector<FalsePositive> false_positives;
  std::vector<Miss> misses;
};

// Keeps the worst `limit` of each kind.
class MistakeCollector {
 public:
  explicit MistakeCollector(int64_t limit) : limit_(limit) {}

  void add(const FalsePositive& mistake);
  void add(const Miss& mistake);
  Mistakes worst() const;

 private:
  int64_t limit_;
  Mistakes heaps_;  // the least bad one first
};

}  // namespace mrcnn
