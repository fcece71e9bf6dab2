// Whether operations are recorded for gradients. On by default, per thread.
#pragma once

namespace mrcnn {

bool grad_enabled();

// While it exists, nothing on this thread is recorded: inference, proposals, updates of parameters.
class NoGradGuard {
 public:
  NoGradGuard();
  ~NoGradGuard();
  NoGradGuard(const NoGradGuard&) = delete;
  NoGradGuard& operator=(const NoGradGuard&) = delete;

 private:
  bool previous_;
};

}  // namespace mrcnn
