// Arithmetic on one box (x1, y1, x2, y2), shared by host and device. Width is x2 - x1 everywhere.
// Written with comparisons instead of fmin/fmax where the treatment of NaN matters.
#pragma once

#include <cmath>

#include "core/host_device.h"

namespace mrcnn {

struct Box {
  float x1;
  float y1;
  float x2;
  float y2;
};

// log(1000 / 16): a delta may not grow a box more than 62.5 times.
// Source: torchvision models/detection/_utils.py, BoxCoder.
inline constexpr float kMaxLogScale = 4.135166556742356F;

// Divisors of (dx, dy, dw, dh) when decoding, factors when encoding.
struct BoxWeights {
  float x = 1;
  float y = 1;
  float width = 1;
  float height = 1;
};

HOST_DEVICE inline float box_area(const Box& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); }

// Area of the intersection. A NaN coordinate may or may not show here; the box's area has it.
HOST_DEVICE inline float intersection_area(const Box& a, const Box& b) {
  const float x1 = a.x1 < b.x1 ? b.x1 : a.x1;
  const float y1 = a.y1 < b.y1 ? b.y1 : a.y1;
  const float x2 = b.x2 < a.x2 ? b.x2 : a.x2;
  const float y2 = b.y2 < a.y2 ? b.y2 : a.y2;
  const float width = x2 - x1 < 0.0F ? 0.0F : x2 - x1;
  const float height = y2 - y1 < 0.0F ? 0.0F : y2 - y1;
  return width * height;
}

// NaN stays NaN.
HOST_DEVICE inline float clamp_coordinate(float value, float high) {
  const float positive = value < 0.0F ? 0.0F : value;
  return positive > high ? high : positive;
}

HOST_DEVICE inline Box clip_box(const Box& box, float image_height, float image_width) {
  return {clamp_coordinate(box.x1, image_width), clamp_coordinate(box.y1, image_height),
          clamp_coordinate(box.x2, image_width), clamp_coordinate(box.y2, image_height)};
}

// False for a NaN box.
HOST_DEVICE inline bool has_min_size(const Box& box, float min_size) {
  return box.x2 - box.x1 >= min_size && box.y2 - box.y1 >= min_size;
}

// The box that deltas (dx, dy, dw, dh) describe relative to `ref`.
HOST_DEVICE inline Box decode_box(const float* deltas, const Box& ref, const BoxWeights& weights) {
  const float width = ref.x2 - ref.x1;
  const float height = ref.y2 - ref.y1;
  const float center_x = ref.x1 + 0.5F * width;
  const float center_y = ref.y1 + 0.5F * height;
  const float dw = deltas[2] / weights.width;
  const float dh = deltas[3] / weights.height;
  const float new_center_x = deltas[0] / weights.x * width + center_x;
  const float new_center_y = deltas[1] / weights.y * height + center_y;
  const float half_width = 0.5F * (std::exp(dw > kMaxLogScale ? kMaxLogScale : dw) * width);
  const float half_height = 0.5F * (std::exp(dh > kMaxLogScale ? kMaxLogScale : dh) * height);
  return {new_center_x - half_width, new_center_y - half_height, new_center_x + half_width,
          new_center_y + half_height};
}

// The deltas that decode_box turns into `box`; both boxes must have positive width and height.
HOST_DEVICE inline void encode_box(const Box& box, const Box& ref, const BoxWeights& weights,
                                   float* deltas) {
  const float ref_width = ref.x2 - ref.x1;
  const float ref_height = ref.y2 - ref.y1;
  const float width = box.x2 - box.x1;
  const float height = box.y2 - box.y1;
  const float offset_x = (box.x1 + 0.5F * width) - (ref.x1 + 0.5F * ref_width);
  const float offset_y = (box.y1 + 0.5F * height) - (ref.y1 + 0.5F * ref_height);
  deltas[0] = weights.x * offset_x / ref_width;
  deltas[1] = weights.y * offset_y / ref_height;
  deltas[2] = weights.width * std::log(width / ref_width);
  deltas[3] = weights.height * std::log(height / ref_height);
}

}  // namespace mrcnn
