#include "tools/trainer/save_retries.h"

#include <fmt/format.h>

#include "core/error.h"

namespace mrcnn {

std::optional<std::string> SaveRetries::attempt(const std::function<void()>& save, bool is_last) {
  constexpr int kMostFailures = 3;
  try {
    save();
    failures_ = 0;
    return std::nullopt;
  } catch (const FileError& error) {
    ++failures_;
    if (is_last || failures_ >= kMostFailures || error.exit_code() != ExitCode::kResources) throw;
    return fmt::format("not saved ({} of {} times in a row end the run): {}", failures_,
                       kMostFailures, error.what());
  }
}

}  // namespace mrcnn
