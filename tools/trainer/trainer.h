// A training run: from its configuration to DIR/final.safetensors.
//
//   DIR/config.txt                   every setting
//   DIR/checkpoint-*.safetensors     to go on from, and to run
//   DIR/log.jsonl, log.csv, events.* the numbers of every log_every steps and of every evaluation
//   DIR/gpu_info.json                with the original console on a GPU: its speed
//   DIR/report.html, curves.svg      the same for people, whenever it ends
//   DIR/final.safetensors            the weights at the end, or the running mean of them
#pragma once

#include <string>

#include "core/device.h"
#include "core/exit_code.h"
#include "tools/report/progress.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

struct TrainerOptions {
  TrainConfig config;
  bool resume =
      false;  // go on from the newest checkpoint in config.out; without, there must be none
  bool quiet = false;
};

// Runs until the last step, config.max_time, a signal, or until nothing gets better any more.
// Returns kOk, or the code of the signal after everything was saved. Throws what ends a run early:
// UsageError, FileError, an Error with ExitCode::kDiverged that names step and images when a number
// is not finite; nothing of that step is kept then.
ExitCode run_training(const TrainerOptions& options);

}  // namespace mrcnn
