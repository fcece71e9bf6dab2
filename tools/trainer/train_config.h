// Everything a user may say about a training run. settings.h gives each member its key, its range
// and its help; the defaults are the ones here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/detection/training_targets.h"
#include "layers/optim/lr_schedule.h"

namespace mrcnn {

enum class BadImages { kSkip, kFail };
enum class OnNonFinite { kStop, kSkip, kRollback };
enum class Console { kDefault, kOriginal };

struct TrainConfig {
  std::string preset = "default";

  std::string model = "maskrcnn_resnet50_fpn";
  std::string init;  // "": random values
  std::string data;
  std::string train_split = "train";
  std::string val_split = "val";
  int64_t shapes_images = 1000;  // where data is "shapes"
  int64_t shapes_val_images = 100;
  int64_t shapes_size = 128;
  std::string out;
  bool auto_resume = false;
  std::string device = "auto";
  std::string precision = "fp32";
  uint64_t seed = 1;

  // Length and size of a step. `steps` above 0 replaces `epochs`.
  int64_t epochs = 12;
  int64_t steps = 0;
  int64_t stop_at = 0;  // 0: off
  double max_time = 0;  // seconds of this process; 0: no limit
  int64_t batch = 2;
  int64_t accumulate = 1;

  double lr = 0.0025;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  LrDecay schedule = LrDecay::kMultiStep;
  std::vector<double> milestones = {8, 11};  // in epochs
  double gamma = 0.1;
  double final_lr_factor = 0;
  int64_t warmup_steps = 1000;
  double warmup_epochs = 0;  // the longer of the two warm-ups holds
  double warmup_factor = 0.001;
  double clip_norm = 0;  // 0: off
  double ema_decay = 0;  // 0: off
  int64_t freeze_stages = 2;
  LossNormalisation loss_mean = LossNormalisation::kBatch;
  int64_t rpn_samples = 256;
  int64_t roi_samples = 512;
  int64_t proposals = 2000;

  std::vector<int64_t> min_size = {800};
  int64_t max_size = 1333;
  double flip = 0.5;
  bool lsj = false;
  int64_t lsj_size = 1024;
  BadImages bad_images = BadImages::kSkip;
  OnNonFinite on_nonfinite = OnNonFinite::kStop;
  int64_t loader_threads = 2;
  int64_t epoch_images = 0;  // 0: all
  bool compat = false;

  Console console = Console::kDefault;
  int64_t log_every = 20;
  int64_t eval_every = 0;   // 0: after each epoch
  int64_t eval_images = 0;  // 0: all
  int64_t save_every = 0;   // 0: after each epoch
  int64_t keep_checkpoints = 2;
  std::string best_metric = "mask_ap";
  int64_t patience = 0;  // 0: off

  // Seconds without progress that end a run; 0: never. watch.h says what they are of.
  double watchdog_setup = 300;
  double watchdog_step = 60;
  double watchdog_save = 300;
};

}  // namespace mrcnn
