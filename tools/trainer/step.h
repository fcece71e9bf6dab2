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
#include "tools/trainer/feed.h"
#include "tools/trainer/training_state.h"

namespace mrcnn {

struct StepLosses {
  int64_t step = 0;
  std::array<double, kLossNames.size()> parts{};
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
  // and is found by read().
  void update(int64_t step, double lr);

  // The losses of the steps since the last call, oldest first; waits for the device. Throws an
  // Error with ExitCode::kDiverged that names the first bad step and its images.
  std::vector<StepLosses> read();

  int64_t images() const { return images_; }  // of the step being put together
  // Of the batches since the last call.
  PassTimes take_times() { return std::exchange(times_, {}); }

 private:
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
  int64_t images_ = 0;
  PassTimes times_;
  Pending current_;
  std::deque<Pending> pending_;
};

}  // namespace mrcnn
