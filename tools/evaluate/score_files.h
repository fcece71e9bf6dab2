// Scores for programs: every number as the shortest text that reads back to it.
#pragma once

#include <span>
#include <string>

#include "data/dataset.h"
#include "data/evaluation/confusion.h"
#include "tools/evaluate/scores.h"

namespace mrcnn {

enum class ScoreDetail { kSummary, kPerClass };

// {"bbox": {"AP": 0.5, "AP50": ..., "ARl": ...}, "segm": {...}}, -1 where there is nothing to find.
// Further keys, each with "bbox" and "segm", where the scores have them: "intervals" with [low,
// high] of each number, "voc" with "AP2012" and "AP2007", and where they are asked for "per_class":
// [{"category_id": 1, "name": "person", "objects": 7, "detections": 9, "AP": ..., ...,
// "AP_interval": [low, high], "AP2012": ..., "AP2007": ...}, ...].
// `path`: a file, "-" for standard output.
void write_score_json(const std::string& path, std::span<const Scores> scores, ScoreDetail detail);

// A table with a header: type, class, category_id, objects, detections, AP, ... ARl, and AP_low,
// AP_high, AP2012, AP2007 where the scores have them. The line of all classes has "all" and no id.
void write_score_csv(const std::string& path, std::span<const Scores> scores, ScoreDetail detail);

// Objects by their class, a line each, and what they were found as, a column each, with "nothing"
// at the end: not found, and found where nothing is. `classes`: those of the matrix, by label.
void write_confusion_csv(const std::string& path, std::span<const DatasetClass> classes,
                         const ConfusionMatrix& confusion);

}  // namespace mrcnn
