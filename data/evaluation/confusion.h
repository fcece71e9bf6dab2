// Which class is taken for which: every object against the detections of all classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "data/evaluation/evaluated_objects.h"

namespace mrcnn {

struct ConfusionOptions {
  double least_score = 0.5;  // detections below are not looked at
  double least_iou = 0.5;
};

// In each image the pairs of a detection and an object with at least least_iou are taken by falling
// IoU (of equal ones the higher score, then the first), each detection and object once. What is
// left is nothing found or nothing there. Crowds are no objects here; a detection that is left and
// lies in a crowd is not counted.
class ConfusionMatrix {
 public:
  ConfusionMatrix(std::vector<int64_t> categories, IouKind kind,
                  const ConfusionOptions& options = {});

  // Each image once, in any order and from any number of threads at the same time.
  void add(std::span<const EvaluatedTruth> truths, std::span<const EvaluatedDetection> detections);

  const ConfusionOptions& options() const { return options_; }
  const std::vector<int64_t>& categories() const { return categories_; }  // ascending
  // Objects of class `truth` found as class `found`, both indices into categories();
  // categories().size() stands for nothing: objects not found, detections of nothing.
  int64_t count(size_t truth, size_t found) const;

 private:
  std::vector<int64_t> categories_;
  IouKind kind_;
  ConfusionOptions options_;
  mutable std::mutex mutex_;
  std::vector<int64_t> counts_;
};

}  // namespace mrcnn
