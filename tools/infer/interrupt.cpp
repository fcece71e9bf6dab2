#include "tools/infer/interrupt.h"

#include <signal.h>

namespace mrcnn {
namespace {

volatile sig_atomic_t noted_signal = 0;

extern "C" {
static void note_signal(int number) { noted_signal = number; }
}

}  // namespace

InterruptGuard::InterruptGuard() {
  noted_signal = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  // One shot, so that a second signal ends the program; reads and writes go on after the first.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

std::optional<ExitCode> InterruptGuard::requested() const {
  if (noted_signal == SIGINT) return ExitCode::kInterrupted;
  if (noted_signal == SIGTERM) return ExitCode::kTerminated;
  return std::nullopt;
}

}  // namespace mrcnn
