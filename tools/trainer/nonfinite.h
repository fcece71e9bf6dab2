// What a run does about a step whose losses or gradients are not finite. The step itself is never
// taken (step.h).
#pragma once

#include <cstdint>
#include <string>

#include "tools/trainer/step.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

// "step 17: a loss or a gradient is not finite ...", with its images and losses.
std::string nonfinite_text(const StepLosses& step);

class NonFinitePolicy {
 public:
  enum class Action { kSkip, kRollback };
  static constexpr int64_t kMostSkips = 10;      // in a row
  static constexpr int64_t kMostRollbacks = 10;  // to one checkpoint
  static constexpr double kRollbackLrFactor = 0.5;

  explicit NonFinitePolicy(OnNonFinite wanted) : wanted_(wanted) {}

  // What to do about a bad step. Throws an Error with ExitCode::kDiverged, which begins with
  // `problem`, when the run has to end.
  Action judge(const std::string& problem);
  void passed() { skips_ = 0; }     // a step was finite
  void saved() { rollbacks_ = 0; }  // there is a newer checkpoint to go back to

 private:
  OnNonFinite wanted_;
  int64_t skips_ = 0;
  int64_t rollbacks_ = 0;
};

}  // namespace mrcnn
