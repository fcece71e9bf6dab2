// The learning rates of a run.
#pragma once

#include <cstdint>

#include "layers/optim/lr_schedule.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

struct RunLength {
  double steps_per_epoch = 1;  // not whole where `accumulate` does not divide the batches
  int64_t total_steps = 0;
};

RunLength run_length(const TrainConfig& config, int64_t batches_per_epoch);

// Epochs of the configuration become steps. Throws UsageError on contradictions.
LrSchedule schedule_of(const TrainConfig& config, const RunLength& length);

}  // namespace mrcnn
