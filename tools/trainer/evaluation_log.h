// The evaluations of a run as numbers and pictures.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tools/trainer/event_file.h"
#include "tools/trainer/model_evaluation.h"
#include "tools/trainer/sample_pictures.h"

namespace mrcnn {

// "box_ap", "box_ap50", ..., "mask_ap", ...: COCO's twelve numbers for boxes and for masks.
std::map<std::string, double> metrics_of(const ModelEvaluation& evaluation);

// "box AP 0.312, AP50 0.540; mask AP 0.280, AP50 0.520"
std::string metrics_text(const std::map<std::string, double>& metrics);

// Throws UsageError, with the nearest known name, if an evaluation has no such number.
void check_metric_name(const std::string& name);

// The values of log.csv beside step, epoch and kind.
std::vector<std::string> log_columns();

void add_sample_pictures(std::span<const SamplePicture> samples, int64_t step, EventFile& events);

}  // namespace mrcnn
