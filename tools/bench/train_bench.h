// Time of whole training steps: forward, losses, backward, update.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/stream.h"
#include "layers/execution.h"
#include "models/mask_rcnn/training.h"
#include "tools/bench/timing.h"

namespace mrcnn {

struct TrainBenchOptions {
  std::string model = "maskrcnn_resnet50_fpn";
  int64_t height = 800;  // of the noise, which enters the network as it is
  int64_t width = 1333;
  int64_t batch = 1;
  int64_t objects = 8;  // per image
  int warmup = 1;
  int repeat = 5;
  Execution execution = {};
};

struct TrainBenchResult {
  std::vector<StageClock::Row> stages;  // "batch", "forward", "backward", "update", "total"
  std::array<double, kLossNames.size()> losses{};  // of the first step
  // Most tensor memory alive during a step, parameters and momenta included.
  int64_t peak_tensor_bytes = 0;
  DeviceCounters per_repetition;  // on a GPU: what the host asked for, of the last one
};

// Rectangles as objects of image n of the batch: sides of 1/2 to 1/16 of the image's, anywhere in
// it. A function of the arguments only; tools/compare_torchvision_training.py writes the same rule:
// with w(k) = RandomStream{.seed = 2}.word(8 * (objects * n + g) + k) object g has
//   height = H >> (1 + w(0) % 4), width = W >> (1 + w(1) % 4), both at least 1,
//   top = w(2) % (H - height + 1), left = w(3) % (W - width + 1), label = 1 + w(4) % (K - 1).
TrainingImage noise_training_image(const TrainBenchOptions& options, int64_t n,
                                   int64_t num_classes);

// Trains all but the first two stages of the body, with seeded weights (kGoldenSeed) and a learning
// rate of 0: the whole update is computed, and every step does the same work. Throws UsageError on
// an unknown model or a precision that the device does not compute in.
TrainBenchResult bench_train(const TrainBenchOptions& options);

}  // namespace mrcnn
