#include "tools/signal_thread.h"

namespace mrcnn {
namespace {

sigset_t taken_signals() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set, number);
  return set;
}

}  // namespace

SignalThread::SignalThread() {
  // The thread has the mask from before, whatever it was.
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return over_; });
  });
  const sigset_t taken = taken_signals();
  pthread_sigmask(SIG_BLOCK, &taken, &before_);
}

SignalThread::~SignalThread() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace mrcnn
