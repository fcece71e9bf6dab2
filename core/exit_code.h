// Exit codes of every program. docs/exit_codes.md is the table for users.
#pragma once

namespace mrcnn {

enum class ExitCode : int {
  kOk = 0,
  kUsage = 2,      // command line or configuration
  kData = 3,       // data set, annotation or image
  kModel = 4,      // weights or checkpoint file
  kResources = 5,  // disk, host or device memory, descriptors, no such device
  kDiverged = 6,   // training produced non-finite numbers
  kHang = 7,       // watchdog saw no progress
  kInternal = 8,   // a bug of ours
  kInterrupted = 130,
  kTerminated = 143,
};

}  // namespace mrcnn
