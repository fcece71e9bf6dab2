#include "tools/trainer/signals.h"

namespace mrcnn {
namespace {

volatile sig_atomic_t save_requested = 0;

extern "C" {
static void note_save_request(int) { save_requested = 1; }
}

struct Meaning {
  int number;
  void (*handler)(int);
};
const std::array<Meaning, 3> kMeanings = {
    {{SIGUSR1, note_save_request}, {SIGHUP, SIG_IGN}, {SIGPIPE, SIG_IGN}}};

}  // namespace

TrainingSignals::TrainingSignals() {
  save_requested = 0;
  for (size_t i = 0; i < kMeanings.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = kMeanings[i].handler;
    action.sa_flags = static_cast<int>(SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(kMeanings[i].number, &action, &previous_[i]);
  }
}

TrainingSignals::~TrainingSignals() {
  for (size_t i = 0; i < kMeanings.size(); ++i) {
    sigaction(kMeanings[i].number, &previous_[i], nullptr);
  }
}

bool TrainingSignals::take_save_request() {
  if (save_requested == 0) return false;
  save_requested = 0;
  return true;
}

}  // namespace mrcnn
