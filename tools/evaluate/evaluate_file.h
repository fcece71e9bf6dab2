// A file of results against a data set.
#pragma once

#include "data/coco/detection_file.h"
#include "data/dataset.h"
#include "tools/evaluate/evaluators.h"

namespace mrcnn {

// All threads take images; nothing of an image is kept but its outcomes. Of several errors any one
// is thrown.
void evaluate_file(const Dataset& dataset, const DetectionFile& file, Evaluators& evaluators);

}  // namespace mrcnn
