// One anchor of a grid, shared by host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "kernels/detection/box_math.h"

namespace mrcnn {

struct AnchorGrid {
  int64_t width;  // cells per row
  int64_t num_anchors;
  int64_t stride_height;
  int64_t stride_width;
};

// Anchor `index` in (row, column, anchor) order; base [num_anchors, 4].
HOST_DEVICE inline Box grid_anchor(const AnchorGrid& grid, const float* base, int64_t index) {
  const int64_t cell = index / grid.num_anchors;
  const float* anchor = base + 4 * (index % grid.num_anchors);
  const auto x = static_cast<float>(cell % grid.width * grid.stride_width);
  const auto y = static_cast<float>(cell / grid.width * grid.stride_height);
  return {x + anchor[0], y + anchor[1], x + anchor[2], y + anchor[3]};
}

}  // namespace mrcnn
