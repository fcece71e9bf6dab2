// The gradient of a ReLU from its result; shared by every op that ends in one, on the CPU and GPUs.
#pragma once

#include "core/host_device.h"

namespace mrcnn {

// The gradient passes where the result is positive, and where it is NaN. Source: PyTorch 2,
// threshold_backward.
template <typename T>
HOST_DEVICE inline T relu_gradient(T grad, T output) {
  return output <= T(0) ? T(0) : grad;
}

}  // namespace mrcnn
