// One optimizer step: batches in, updated parameters and their losses out.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "data/loader/loader.h"
#include "models/mask_rcnn/training.h"
#include "tools/trainer/batch_statistics.h"
#include "tools/trainer/feed.h"
#include "tools/trainer/training_state.h"

namespace mrcnn {

struct StepLosses {
  int64_t step = 0;
  std::array<double, kLossNames.size()> parts{};
  bool finite = true;  // all losses and gradients; the step was not taken otherwise
  std::vector<int64_t> image_ids = {};
  double total() const;
};

// The host's time, in seconds; a GPU may still be at work afterwards.
struct PassTimes {
  double model_s = 0;  // preparing the images, forward, losses
  double backward_s = 0;
};

class StepRunner {
 public:
  StepRunner(TrainableMaskRcnn& model, TrainingState& state, const TrainConfig& config);

  // Forward and backward of one batch; gradients add up until update(). Batches without a sample
  // are skipped.
  void add_batch(LoadedBatch batch, int64_t step);
  // Clips, updates, clears the gradients. A step with numbers that are not finite changes nothing
  // and is told of by read(). (On a GPU it changes running statistics and means, unless
  // on_nonfinite is skip: to undo that the host has to wait.)
  void update(int64_t step, double lr);

  // The losses of the steps since the last call, oldest first; waits for the device.
  std::vector<StepLosses> read();

  int64_t images() const { return images_; }  // of the step being put together
  // Of the batches since the last call.
  PassTimes take_times() { return std::exchange(times_, {}); }

 private:
  // Whether update() waits to see if the step is finite, and takes back what it changed if not.
  bool can_undo() const;

  struct Pending {
    int64_t step = 0;
    std::vector<TrainingLosses> losses;  // of its batches
    Tensor finite;                       // [1] i32
    std::vector<int64_t> image_ids;
  };

  TrainableMaskRcnn& model_;
  TrainingState& state_;
  const TrainConfig& config_;
  FeedOptions feed_;
  BatchStatistics statistics_;
  int64_t images_ = 0;
  PassTimes times_;
  Pending current_;
  std::deque<Pending> pending_;
};

}  // namespace mrcnn
