// Which pixel of the coarse map an enlarged pixel takes; shared by the CPU and GPUs.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// f32 on purpose, for f64 maps too: the rounding decides which pixel is the nearest.
inline float upsample_scale(int64_t coarse_extent, int64_t extent) {
  return static_cast<float>(coarse_extent) / static_cast<float>(extent);
}

// index >= 0, so that the conversion rounds down.
HOST_DEVICE inline int64_t upsample_source(int64_t index, float scale, int64_t coarse_extent) {
  const auto source = static_cast<int64_t>(static_cast<float>(index) * scale);
  return source < coarse_extent ? source : coarse_extent - 1;
}

}  // namespace mrcnn
