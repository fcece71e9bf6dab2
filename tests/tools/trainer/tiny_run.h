// A training run that takes a fraction of a second.
#pragma once

#include <cstdint>
#include <string>

#include "core/parallel.h"
#include "data/shapes/shapes_files.h"
#include "tools/trainer/train_config.h"

namespace mrcnn::test {

// On one thread, of `train_images` generated pictures (FOLDER/data), a step each; to FOLDER/run.
inline TrainConfig tiny_run(const std::string& folder, int64_t train_images, int64_t val_images) {
  set_num_threads(1);
  write_shapes_files(folder + "/data", shapes_splits(train_images, val_images),
                     {.height = 32, .width = 32}, ExistingFiles::kKeep);
  TrainConfig config;
  config.model = "maskrcnn_resnet18_fpn";
  config.data = folder + "/data";
  config.out = folder + "/run";
  config.device = "cpu";
  config.batch = 1;
  config.freeze_stages = 5;
  config.min_size = {64};
  config.max_size = 64;
  config.rpn_samples = 16;
  config.roi_samples = 8;
  config.proposals = 10;
  config.warmup_steps = 0;
  config.log_every = 1;
  config.loader_threads = 1;
  return config;
}

}  // namespace mrcnn::test
