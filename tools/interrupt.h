// Ctrl-C and termination, as a request that the program looks at between two images.
#pragma once

#include <optional>

#include "core/exit_code.h"

namespace mrcnn {

// While it lives, the first SIGINT or SIGTERM is noted instead of ending the program; a second one
// ends it at once. A signal that the program was started to ignore (a background job of a script)
// stays ignored. One guard at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // kInterrupted or kTerminated once the signal has come.
  std::optional<ExitCode> requested() const;

 private:
  bool ignored_interrupt_ = false;
  bool ignored_termination_ = false;
};

}  // namespace mrcnn
