// How good a model is on a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/coco_evaluator.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "tools/report/html/evaluation_part.h"

namespace mrcnn {

// As of DetectDatasetOptions, and:
struct ModelEvaluationOptions {
  int64_t batch = 1;
  int64_t max_images = 0;
  int64_t num_mistakes = 0;  // of each kind, to be looked at
  std::function<bool()> stop_requested = {};
  std::function<void(int64_t done)> progress = {};
  bool take_behind = false;
};

struct ModelEvaluation {
  CocoSummary box;
  CocoSummary mask;
  std::vector<EvaluatedPart> parts;  // boxes, masks
  int64_t images = 0;
  std::vector<std::string> skipped;  // images that could not be read; they count as not found
  bool complete = true;              // false: it was asked to stop
};

ModelEvaluation evaluate_model(const MaskRcnn& model, const Dataset& dataset,
                               const ModelEvaluationOptions& options);

}  // namespace mrcnn
