#include "tools/trainer/schedule.h"

#include <algorithm>
#include <cmath>

namespace mrcnn {

RunLength run_length(const TrainConfig& config, int64_t batches_per_epoch) {
  RunLength length;
  length.steps_per_epoch =
      static_cast<double>(batches_per_epoch) / static_cast<double>(config.accumulate);
  length.total_steps =
      config.steps > 0
          ? config.steps
          : (config.epochs * batches_per_epoch + config.accumulate - 1) / config.accumulate;
  return length;
}

LrSchedule schedule_of(const TrainConfig& config, const RunLength& length) {
  const auto steps_of = [&](double epochs) {
    return static_cast<int64_t>(std::llround(epochs * length.steps_per_epoch));
  };
  LrSchedule schedule;
  schedule.warmup_steps = std::max(config.warmup_steps, steps_of(config.warmup_epochs));
  schedule.warmup_start = config.warmup_factor;
  schedule.decay = config.schedule;
  if (config.schedule == LrDecay::kMultiStep) {
    for (const double milestone : config.milestones) {
      schedule.milestones.push_back(steps_of(milestone));
    }
  }
  schedule.gamma = config.gamma;
  schedule.total_steps = length.total_steps;
  schedule.final_factor = config.final_lr_factor;
  check_lr_schedule(schedule);
  return schedule;
}

}  // namespace mrcnn
