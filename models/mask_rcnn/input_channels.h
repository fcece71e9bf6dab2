// How many channels the network's input has.
#pragma once

#include <cstdint>

#include "layers/execution.h"

namespace mrcnn {

// 16 bytes a pixel on a GPU, which is what its convolutions read best; what lies beyond the third
// channel is zero.
inline int64_t input_channels(const Execution& execution) {
  return execution.device.is_cpu() ? 3 : 16 / dtype_bytes(execution.activations());
}

}  // namespace mrcnn
