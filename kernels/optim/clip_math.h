// The coefficient that clips gradients (global_norm.h), shared by the CPU and GPUs.
#pragma once

#include "core/host_device.h"

namespace mrcnn {

template <typename T>
HOST_DEVICE inline T clip_coefficient_of(T norm, T max_norm) {
  const T coefficient = max_norm / (norm + T(1e-6));
  return coefficient > T(1) ? T(1) : coefficient;
}

}  // namespace mrcnn
