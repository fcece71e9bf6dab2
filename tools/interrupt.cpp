#include "tools/interrupt.h"

#include <signal.h>

namespace mrcnn {
namespace {

volatile sig_atomic_t noted_signal = 0;

extern "C" {
static void note_signal(int number) { noted_signal = number; }
}

// Returns whether the signal was being ignored, and then leaves it so.
bool note_unless_ignored(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return true;
  action = {};
  action.sa_handler = note_signal;
  // One shot, so that a second signal ends the program; reads and writes go on after the first.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
  return false;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  noted_signal = 0;
  ignored_interrupt_ = note_unless_ignored(SIGINT);
  ignored_termination_ = note_unless_ignored(SIGTERM);
}

InterruptGuard::~InterruptGuard() {
  if (!ignored_interrupt_) signal(SIGINT, SIG_DFL);
  if (!ignored_termination_) signal(SIGTERM, SIG_DFL);
}

std::optional<ExitCode> InterruptGuard::requested() const {
  if (noted_signal == SIGINT) return ExitCode::kInterrupted;
  if (noted_signal == SIGTERM) return ExitCode::kTerminated;
  return std::nullopt;
}

}  // namespace mrcnn
