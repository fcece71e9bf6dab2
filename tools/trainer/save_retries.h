// What a run does when the disk does not take its checkpoint.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace mrcnn {

// A run goes on and tries again when the next checkpoint is due, because its older checkpoints are
// whole and a disk may get room again; the third failure in a row ends it.
class SaveRetries {
 public:
  // Calls `save`. Returns what went wrong, or nothing if nothing did. Throws it on if it is the
  // third time in a row, if `is_last` as no other try will come, or if it is not about the disk
  // (ExitCode::kResources).
  std::optional<std::string> attempt(const std::function<void()>& save, bool is_last);

 private:
  int failures_ = 0;  // in a row
};

}  // namespace mrcnn
