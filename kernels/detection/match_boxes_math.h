// IoU and labels of match_boxes, shared by host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "kernels/detection/box_math.h"
#include "kernels/detection/match_boxes.h"

namespace mrcnn {

// As box_iou computes it; the order of the boxes makes no difference to the bits.
HOST_DEVICE inline float match_iou(const Box& a, float area_a, const Box& b, float area_b) {
  const float inter = intersection_area(a, b);
  const float joint = area_a + area_b - inter;
  return joint <= 0.0F ? 0.0F : inter / joint;
}

// best: the ref's largest IoU, with object `index`.
HOST_DEVICE inline int32_t match_label(float best, int32_t index, const MatchParams& params) {
  if (best >= params.fg_threshold) return index;
  return best < params.bg_threshold ? kBackground : kIgnored;
}

// Whether an object whose best IoU is `best` matches the refs that have exactly it.
HOST_DEVICE inline bool raises_refs(float best, const MatchParams& params) {
  return best > 0.0F || params.compat;
}

HOST_DEVICE inline int64_t clamp_count(int64_t count, int64_t most) {
  return count < 0 ? 0 : count < most ? count : most;
}

}  // namespace mrcnn
