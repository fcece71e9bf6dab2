// An evaluation as a page: --html.
#pragma once

#include <span>

#include "data/dataset.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "tools/evaluate/evaluators.h"
#include "tools/evaluate/options.h"
#include "tools/evaluate/scores.h"
#include "tools/report/html/page.h"

namespace mrcnn {

struct EvaluationReport {
  std::span<const Scores> scores;   // of the evaluators' parts, one each
  PageFacts facts;                  // beside those that options tell
  const MaskRcnn* model = nullptr;  // draws samples, where there is one
};

// Writes options.html. Throws FileError.
void write_evaluation_report(const EvaluateOptions& options, const Dataset& dataset,
                             const Evaluators& evaluators, const EvaluationReport& report);

}  // namespace mrcnn
