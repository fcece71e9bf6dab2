// A thread that takes a program's signals, so that no other one is interrupted by them.
// Kernels that oneDNN 2.6 generates for matrix products use the stack pointer for a buffer of
// theirs on the heap; a signal that comes meanwhile writes its frame over what lies below.
#pragma once

#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace mrcnn {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 are blocked in the thread that made it and in
// all that are started from then on; what they mean is unchanged. Make it before any other thread.
class SignalThread {
 public:
  SignalThread();
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  sigset_t before_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mrcnn
