// What is kept of a step that was not finite, so that it can be run again: a folder
// nonfinite-<step> that is itself the folder of a run, which stands before that step.
//
//   config.txt         the run's settings, with this folder as `out` and `stop_at` the step
//   checkpoint-*       the state before the step; where that is gone (on a GPU), or cannot be
//   saved,
//                      the newest checkpoint from which a run comes to it; none if there was none
//   nonfinite.json     step, seed, learning rate, images, losses, and the command
//
// `train --config OUT/nonfinite-<step>/config.txt --resume`, from the folder where the run was
// started, does the step again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/trainer/checkpoint_directory.h"
#include "tools/trainer/step.h"

namespace mrcnn {

struct NonFiniteStep {
  const TrainConfig& config;
  const StepLosses& losses;
  double lr = 0;
  // Of the state before the step, if there still is one.
  std::optional<TrainFacts> facts;
  std::function<std::vector<StateTensor>()> tensors;
  const CheckpointDirectory& checkpoints;  // of the run
};

inline constexpr int kMostBundles = 3;  // in the folder of a run: each is as large as a checkpoint

// Returns what a user should know, a line: where it is and how to run it, or why there is none.
std::string keep_nonfinite_step(const NonFiniteStep& step);

}  // namespace mrcnn
