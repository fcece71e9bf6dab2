#include "layers/optim/lr_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace mrcnn {
namespace {

bool is_factor(double value) { return value >= 0 && std::isfinite(value); }

double warmup_factor(const LrSchedule& schedule, int64_t step) {
  if (step >= schedule.warmup_steps) return 1;
  const double part = static_cast<double>(step) / static_cast<double>(schedule.warmup_steps);
  return schedule.warmup_start + (1 - schedule.warmup_start) * part;
}

double decay_factor(const LrSchedule& schedule, int64_t step) {
  switch (schedule.decay) {
    case LrDecay::kMultiStep: {
      const auto& milestones = schedule.milestones;
      const auto reached = std::upper_bound(milestones.begin(), milestones.end(), step);
      return std::pow(schedule.gamma, static_cast<double>(reached - milestones.begin()));
    }
    case LrDecay::kCosine: {
      const int64_t at = std::clamp(step, schedule.warmup_steps, schedule.total_steps);
      const double part = static_cast<double>(at - schedule.warmup_steps) /
                          static_cast<double>(schedule.total_steps - schedule.warmup_steps);
      return schedule.final_factor +
             (1 - schedule.final_factor) * 0.5 * (1 + std::cos(std::numbers::pi * part));
    }
    case LrDecay::kConstant:
      break;
  }
  return 1;
}

LrSchedule drop_at_epochs(int64_t steps_per_epoch, std::span<const int64_t> epochs) {
  if (steps_per_epoch < 1) {
    throw UsageError(fmt::format("[lr_schedule] an epoch needs a step, not {}", steps_per_epoch));
  }
  LrSchedule schedule{.decay = LrDecay::kMultiStep};
  for (const int64_t epoch : epochs) schedule.milestones.push_back(epoch * steps_per_epoch);
  std::sort(schedule.milestones.begin(), schedule.milestones.end());
  return schedule;
}

}  // namespace

void check_lr_schedule(const LrSchedule& schedule) {
  const auto& milestones = schedule.milestones;
  if (schedule.warmup_steps < 0) {
    throw UsageError(fmt::format("[lr_schedule] warm-up of {} steps", schedule.warmup_steps));
  }
  if (!(schedule.warmup_start >= 0 && schedule.warmup_start <= 1)) {
    throw UsageError(fmt::format("[lr_schedule] warm-up starts at factor {}, which is not in 0..1",
                                 schedule.warmup_start));
  }
  if (schedule.decay == LrDecay::kMultiStep) {
    if (!std::is_sorted(milestones.begin(), milestones.end())) {
      throw UsageError("[lr_schedule] milestones must ascend");
    }
    if (!is_factor(schedule.gamma)) {
      throw UsageError(fmt::format("[lr_schedule] gamma must be 0 or more: {}", schedule.gamma));
    }
  }
  if (schedule.decay == LrDecay::kCosine) {
    if (schedule.total_steps <= schedule.warmup_steps) {
      throw UsageError(fmt::format("[lr_schedule] {} steps in all leave none after {} of warm-up",
                                   schedule.total_steps, schedule.warmup_steps));
    }
    if (!is_factor(schedule.final_factor)) {
      throw UsageError(fmt::format("[lr_schedule] the final factor must be 0 or more: {}",
                                   schedule.final_factor));
    }
  }
}

double lr_factor(const LrSchedule& schedule, int64_t step) {
  check_lr_schedule(schedule);
  if (step < 0) throw UsageError(fmt::format("[lr_schedule] step {} is negative", step));
  return warmup_factor(schedule, step) * decay_factor(schedule, step);
}

LrSchedule original_lr_schedule(int64_t steps_per_epoch, std::span<const int64_t> epochs) {
  LrSchedule schedule = drop_at_epochs(steps_per_epoch, epochs);
  schedule.warmup_steps = std::max<int64_t>(1000, steps_per_epoch);
  return schedule;
}

LrSchedule torchvision_lr_schedule(int64_t steps_per_epoch, std::span<const int64_t> epochs,
                                   double gamma) {
  LrSchedule schedule = drop_at_epochs(steps_per_epoch, epochs);
  schedule.gamma = gamma;
  schedule.warmup_steps = std::min<int64_t>(1000, steps_per_epoch - 1);
  schedule.warmup_start = 1.0 / 1000;
  return schedule;
}

}  // namespace mrcnn
