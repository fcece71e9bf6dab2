// Compiled operations of the whole program, for convolutions whose weights change from call to
// call. Thread safe; the ones used longest ago are dropped.
#pragma once

#include <compare>

#include "kernels/conv/onednn.h"

namespace mrcnn::onednn {

enum class Pass { kForward, kDataGradient };

struct OperationKey {
  Pass pass = Pass::kForward;
  ConvGeometry geometry{};
  Epilogue epilogue{};  // of kForward
  int threads = 0;      // the library plans for their number

  friend auto operator<=>(const OperationKey&, const OperationKey&) = default;
};

// The operation for `key`, made at its first use. `threads` is filled in.
Operation cached_operation(OperationKey key);

}  // namespace mrcnn::onednn
