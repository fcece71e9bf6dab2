// A model against a data set.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "tools/evaluate/evaluators.h"
#include "tools/infer/result_sink.h"
#include "tools/trainer/detect_dataset.h"

namespace mrcnn {

// What the model finds goes to the evaluators and, if `sink` is one, there too, with the data set's
// category ids in the place of labels and without what is of none of its classes.
DetectDatasetRun evaluate_weights(const MaskRcnn& model, const Dataset& dataset,
                                  const DetectDatasetOptions& options, Evaluators& evaluators,
                                  ResultSink* sink);

// What a user should know before numbers of this model on this data set, a line each: classes that
// are called differently. Throws Error with ExitCode::kData if the data set has labels that the
// model cannot give. class_names: by label.
std::vector<std::string> compare_classes(const std::vector<std::string>& class_names,
                                         const Dataset& dataset);

}  // namespace mrcnn
