// What signals mean to a training run.
#pragma once

#include <signal.h>

#include <array>
#include <optional>

#include "core/exit_code.h"
#include "tools/interrupt.h"

namespace mrcnn {

// While it lives: SIGINT and SIGTERM ask to save and stop, and a second one ends the program at
// once (InterruptGuard); SIGUSR1 asks to save and go on; SIGHUP and SIGPIPE are ignored, so that a
// run outlives its terminal and whoever read its output. One at a time.
class TrainingSignals {
 public:
  TrainingSignals();
  ~TrainingSignals();
  TrainingSignals(const TrainingSignals&) = delete;
  TrainingSignals& operator=(const TrainingSignals&) = delete;

  // The exit code to end with, after saving.
  std::optional<ExitCode> stop_requested() const { return interrupt_.requested(); }
  // Whether SIGUSR1 came since the last call.
  bool take_save_request();

 private:
  InterruptGuard interrupt_;
  std::array<struct sigaction, 3> previous_{};
};

}  // namespace mrcnn
