#include "tools/trainer/nonfinite.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"

namespace mrcnn {
namespace {

constexpr size_t kMostIds = 16;  // named in a message

std::string ids_text(const std::vector<int64_t>& ids) {
  std::string text;
  for (size_t i = 0; i < ids.size() && i < kMostIds; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(ids[i]);
  }
  if (ids.size() > kMostIds) text += fmt::format(" and {} more", ids.size() - kMostIds);
  return text;
}

// Which sign a NaN has tells nobody anything.
double unsigned_nan(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

[[noreturn]] void end(const std::string& problem, const std::string& why) {
  throw Error(ExitCode::kDiverged, problem + why);
}

}  // namespace

std::string nonfinite_text(const StepLosses& step) {
  std::string parts;
  for (size_t k = 0; k < kLossNames.size(); ++k) {
    parts += fmt::format(" {} {:.4g}", kLossNames[k], unsigned_nan(step.parts[k]));
  }
  return fmt::format(
      "step {}: a loss or a gradient is not finite, and the step was not taken; images {}; "
      "losses{}",
      step.step + 1, ids_text(step.image_ids), parts);
}

NonFinitePolicy::Action NonFinitePolicy::judge(const std::string& problem) {
  if (wanted_ == OnNonFinite::kStop) end(problem, ". A lower lr or clip_norm may help");
  if (wanted_ == OnNonFinite::kSkip) {
    if (++skips_ >= kMostSkips) end(problem, fmt::format("; it was the {}th in a row", kMostSkips));
    return Action::kSkip;
  }
  if (++rollbacks_ > kMostRollbacks) {
    end(problem,
        fmt::format("; going back {} times with a lower lr has not helped", kMostRollbacks));
  }
  return Action::kRollback;
}

}  // namespace mrcnn
