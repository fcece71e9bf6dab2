// Whether a run begins or goes on, and from where.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "tools/trainer/checkpoint_directory.h"
#include "tools/trainer/metric_history.h"
#include "tools/trainer/train_config.h"
#include "tools/trainer/train_facts.h"

namespace mrcnn {

// The newest checkpoint of config.out that verifies; damaged ones are told to `say`. Nothing where
// the run begins. Throws UsageError when there are checkpoints but nobody asked to resume; an Error
// with ExitCode::kModel when all of them are damaged.
std::optional<ResumePoint> find_resume_point(const TrainConfig& config, bool resume,
                                             CheckpointDirectory& checkpoints,
                                             const std::function<void(const std::string&)>& say);

// What a checkpoint says of the settings, the data and the evaluations so far.
TrainFacts facts_of_run(const TrainConfig& config, const Dataset& train,
                        const MetricHistory& history);

// Throws UsageError if going on from `point` with these settings and data would make another run of
// it.
void check_same_run(const TrainConfig& config, const ResumePoint& point, const Dataset& train);

}  // namespace mrcnn
