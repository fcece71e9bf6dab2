// Everything that one run of `evaluate` counts: boxes, masks, COCO's numbers and VOC's, and which
// class is taken for which.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/coco_evaluator.h"
#include "data/evaluation/confusion.h"
#include "data/evaluation/evaluated_objects.h"
#include "data/evaluation/voc_evaluator.h"

namespace mrcnn {

struct EvaluatorChoice {
  bool boxes = true;
  bool masks = true;
  bool voc = false;
  bool confusion = false;
  CocoEvaluatorOptions coco = {};
};

class Evaluators {
 public:
  struct Part {
    IouKind kind;
    std::unique_ptr<CocoEvaluator> coco;
    std::unique_ptr<VocEvaluator> voc;           // null if it was not chosen
    std::unique_ptr<ConfusionMatrix> confusion;  // of the last part, if it was chosen
  };

  // Of all classes of the data set.
  Evaluators(const Dataset& dataset, const EvaluatorChoice& choice);

  // Each image once, by any number of threads.
  void add(int64_t image_id, std::span<const EvaluatedTruth> truths,
           std::span<const EvaluatedDetection> detections);

  bool want_masks() const;
  const std::vector<Part>& parts() const { return parts_; }  // boxes first

 private:
  std::vector<Part> parts_;
};

// "bbox" or "segm", as everybody calls them.
std::string_view iou_type_name(IouKind kind);

}  // namespace mrcnn
