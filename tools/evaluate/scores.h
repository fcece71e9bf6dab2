// The numbers of an evaluation with the names that a reader knows them by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/coco_curves.h"
#include "data/evaluation/numpy_mean.h"
#include "data/evaluation/resampling.h"
#include "data/evaluation/voc_evaluator.h"
#include "tools/evaluate/evaluators.h"

namespace mrcnn {

struct ClassScores {
  int64_t category_id = 0;  // as the data set's files spell it
  std::string name;
  int64_t num_truths = 0;  // to find, of any size
  int64_t num_detections = 0;
  CocoValues values{};
  std::optional<Interval> ap_interval{};
  std::optional<VocAp> voc{};
};

struct Scores {
  std::string type;  // "bbox" or "segm"
  CocoValues values{};
  std::optional<CocoIntervals> intervals{};
  std::optional<VocAp> voc{};        // the mean of the classes
  std::vector<ClassScores> classes;  // in the order of the data set's
};

struct ScoreOptions {
  std::optional<ResamplingOptions> resampling = {};  // for intervals
  NumpySum sum = NumpySum::kBlocks;
};

// With VOC's numbers where the evaluators have them.
std::vector<Scores> scores_of(const Dataset& dataset, const Evaluators& evaluators,
                              const ScoreOptions& options = {});

}  // namespace mrcnn
