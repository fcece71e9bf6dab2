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

// The first index of the enlarged axis whose source is `coarse_index` or beyond; `extent` if there
// is none. Sources never decrease, so pixel i is taken from upsample_first(i) to upsample_first(i +
// 1).
HOST_DEVICE inline int64_t upsample_first(int64_t coarse_index, float scale, int64_t coarse_extent,
                                          int64_t extent) {
  // A guess that rounding may put one beside the place.
  auto first = static_cast<int64_t>(static_cast<float>(coarse_index) / scale);
  first = first < extent ? first : extent;
  while (first > 0 && upsample_source(first - 1, scale, coarse_extent) >= coarse_index) --first;
  while (first < extent && upsample_source(first, scale, coarse_extent) < coarse_index) ++first;
  return first;
}

}  // namespace mrcnn
