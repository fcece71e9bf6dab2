// How long the parts of a training run may go without progress.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "tools/trainer/train_config.h"
#include "tools/watchdog.h"

namespace mrcnn {

// A run that hangs ends with ExitCode::kHang. The limits are the settings watchdog_*, widened where
// a slow or busy machine would look like a dead one:
//   a batch    watchdog_step, on a CPU for each of its images; at least ten times as long as the
//              slowest batch so far; for the first ones of a process at least watchdog_setup too
//   an evaluation  the same for each batch
//   setting up     watchdog_setup, and a second for ten images that are generated
// A limit of which a part is 0 is none.
class RunWatch {
 public:
  RunWatch(const TrainConfig& config, const Device& device);

  Watchdog::Phase setup();
  Watchdog::Phase step(int64_t step);  // the one that begins, counted from 1
  Watchdog::Phase evaluation(int64_t step);
  Watchdog::Phase save(int64_t step);

  void beat() { dog_.beat(); }
  void batch_done(double seconds);

 private:
  double batch_limit() const;

  const TrainConfig& config_;
  const bool on_cpu_;
  int64_t batches_ = 0;
  double slowest_s_ = 0;
  Watchdog dog_;
  const Watchdog::Phase rest_;  // all between the others, and the end
};

}  // namespace mrcnn
