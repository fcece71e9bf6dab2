// One trainer per directory.
#pragma once

#include <string>

namespace mrcnn {

// Holds DIR/.lock while it lives. The lock belongs to the open file, so the system releases it when
// the process ends in whatever way; the file itself stays and says who held it last.
class RunLock {
 public:
  // `directory` must exist. Throws UsageError that names the holder, or FileError
  // (ExitCode::kResources) when the file cannot be made or the file system knows no locks.
  explicit RunLock(const std::string& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace mrcnn
