// PASCAL VOC's average precision: of each class at one overlap, over boxes or masks.
// Source: Everingham et al. 2010; VOC2012 devkit VOCevaldet.m, VOC2007 devkit VOCevaldet.m.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "data/evaluation/evaluated_objects.h"

namespace mrcnn {

struct VocAp {
  double ap_2007 = -1;  // -1: nothing to find
  double ap_2012 = -1;
};

struct VocSummary {
  VocAp mean;                        // over the classes that have an object to find
  std::map<int64_t, VocAp> classes;  // by category
};

// A detection goes to the object of its class with the largest overlap, taken or not; it is right
// if that is at least least_iou and the object is not taken yet. Difficult objects need not be
// found, and detections of them count neither way.
class VocEvaluator {
 public:
  VocEvaluator(std::vector<int64_t> categories, IouKind kind, double least_iou = 0.5);

  // Each image once, in any order and from any number of threads at the same time.
  void add(int64_t image_id, std::span<const EvaluatedTruth> truths,
           std::span<const EvaluatedDetection> detections);

  VocSummary summary() const;

 private:
  struct Outcome {
    double score;
    int64_t image_id;
    bool right;
  };
  struct Class {
    int64_t num_truths = 0;
    std::vector<Outcome> outcomes;
  };

  IouKind kind_;
  double least_iou_;
  mutable std::mutex mutex_;
  std::map<int64_t, Class> classes_;
};

}  // namespace mrcnn
