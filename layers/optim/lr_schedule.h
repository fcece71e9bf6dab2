// The learning rate of a step as a factor of the base rate: a pure function of the step, so that a
// run that is resumed, or that repeats a step, gets the same rate.
//   step              0 for the first update of the run
//   warm-up           step < warmup_steps: a straight line from warmup_start to 1 at warmup_steps
//   kConstant         1
//   kMultiStep        gamma^(number of milestones <= step), also during the warm-up
//   kCosine           from 1 at warmup_steps to final_factor at total_steps and beyond:
//                     final_factor + (1 - final_factor) (1 + cos(pi p)) / 2, p the part in between
//   lr_factor = warm-up * decay
// Evaluated in f64.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mrcnn {

enum class LrDecay { kConstant, kMultiStep, kCosine };

struct LrSchedule {
  int64_t warmup_steps = 0;
  double warmup_start = 0;  // factor of step 0, in 0..1
  LrDecay decay = LrDecay::kConstant;
  std::vector<int64_t> milestones = {};  // steps, ascending; kMultiStep
  double gamma = 0.1;                    // kMultiStep
  int64_t total_steps = 0;               // more than warmup_steps; kCosine
  double final_factor = 0;               // kCosine
};

// Throws UsageError naming what is wrong: a negative step, a start outside 0..1, milestones that
// descend, a gamma or final factor that is negative or not finite, a cosine without steps.
void check_lr_schedule(const LrSchedule& schedule);

// Checks the schedule too. A negative step is a UsageError.
double lr_factor(const LrSchedule& schedule, int64_t step);

// The original system's rule, with one image a step: 0.1 for every entry of epochs (0-based) that
// is reached, and a warm-up from exactly 0 over max(1000, steps_per_epoch) steps. The step is the
// original's global iteration, epoch * images + index, also when epochs are cut short.
LrSchedule original_lr_schedule(int64_t steps_per_epoch, std::span<const int64_t> epochs);

// torchvision's detection recipe: gamma for every entry of epochs that is reached, and a warm-up
// from 1/1000 over min(1000, steps_per_epoch - 1) steps.
// Source: torchvision 0.29 references/detection/engine.py train_one_epoch, train.py.
LrSchedule torchvision_lr_schedule(int64_t steps_per_epoch, std::span<const int64_t> epochs,
                                   double gamma = 0.1);

}  // namespace mrcnn
