// Geometry and arithmetic of mask pasting: the soft paste, the bits and the run lengths of both
// devices share it, so that they decide every pixel alike.
//
// The M x M probabilities get a border of zeros, so S = M + 2; the box grows about its centre by
// S / M and its corners are truncated toward zero. The S x S map is resized bilinearly
// (pixel centres at +0.5, borders replicated) to the box's width and height in pixels.
// Source: He et al. 2017, code; torchvision 0.29 models/detection/roi_heads.py expand_boxes,
// paste_mask_in_image; torch interpolate(bilinear, align_corners=False) for the arithmetic.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

// Pixels along one axis: the mask covers [start, start + size) of the image, of which
// [begin, end) lies inside.
struct PasteAxis {
  int64_t start = 0;
  int64_t size = 1;
  int64_t begin = 0;
  int64_t end = 0;
};

// low, high: edges of the box along the axis, in pixels of an image with `extent` pixels there.
// Empty (begin == end) outside the image, for an inverted box, and for coordinates that are not
// finite or beyond 2^30.
HOST_DEVICE inline PasteAxis paste_axis(float low, float high, int64_t mask_size,
                                        int64_t extra_pixel, int64_t extent) {
  constexpr float kLimit = 1073741824.0F;
  const float scale = static_cast<float>(mask_size + 2) / static_cast<float>(mask_size);
  const float half = (high - low) * 0.5F * scale;
  const float center = (high + low) * 0.5F;
  const float first = center - half;
  const float last = center + half;
  if (!(first >= -kLimit && last <= kLimit && first <= last)) return {};
  PasteAxis axis;
  axis.start = static_cast<int64_t>(first);
  const int64_t size = static_cast<int64_t>(last) - axis.start + extra_pixel;
  axis.size = size > 1 ? size : 1;
  const int64_t stop = axis.start + axis.size;
  axis.begin = axis.start > 0 ? axis.start : 0;
  axis.end = stop < extent ? stop : extent;
  if (axis.end < axis.begin) axis.end = axis.begin;
  return axis;
}

// Both axes of one object's mask on the canvas.
struct PasteWindow {
  PasteAxis rows;
  PasteAxis columns;
  HOST_DEVICE bool empty() const { return rows.begin == rows.end || columns.begin == columns.end; }
};

// box [4]
HOST_DEVICE inline PasteWindow paste_window(const float* box, int64_t mask_size,
                                            int64_t extra_pixel, int64_t height, int64_t width) {
  return {paste_axis(box[1], box[3], mask_size, extra_pixel, height),
          paste_axis(box[0], box[2], mask_size, extra_pixel, width)};
}

// The two source rows (or columns) of an image pixel; the second is low + 1, or low at the end.
struct PasteTap {
  int32_t low;
  float high_weight;
};

// pixel: of the image; source_size: S.
HOST_DEVICE inline PasteTap paste_tap(const PasteAxis& axis, int64_t pixel, int64_t source_size) {
  const float scale = static_cast<float>(source_size) / static_cast<float>(axis.size);
  const float position = scale * (static_cast<float>(pixel - axis.start) + 0.5F) - 0.5F;
  const float inside = position > 0.0F ? position : 0.0F;
  const auto floor = static_cast<int64_t>(inside);
  const int64_t low = floor < source_size - 1 ? floor : source_size - 1;
  const float share = inside - static_cast<float>(low);
  return {static_cast<int32_t>(low), share < 1.0F ? share : 1.0F};
}

// Between the two sources of a tap. Pasting does this along x first, then along y.
HOST_DEVICE inline float paste_blend(float low, float high, float high_weight) {
  return low * (1.0F - high_weight) + high * high_weight;
}

// Row `row` of the padded map, resized along x at one column; beyond the map is the border of
// zeros. probs [mask_size, mask_size]
HOST_DEVICE inline float paste_source_row(const float* probs, int64_t mask_size, int64_t row,
                                          const PasteTap& column) {
  if (row < 1 || row > mask_size) return 0.0F;
  const float* const values = probs + (row - 1) * mask_size;
  const int64_t low = column.low;  // of the padded map: column c of the map is c + 1 there
  const float left = low >= 1 && low <= mask_size ? values[low - 1] : 0.0F;
  const float right = low < mask_size ? values[low] : 0.0F;
  return paste_blend(left, right, column.high_weight);
}

HOST_DEVICE inline float paste_value(const float* probs, int64_t mask_size, const PasteTap& row,
                                     const PasteTap& column) {
  return paste_blend(paste_source_row(probs, mask_size, row.low, column),
                     paste_source_row(probs, mask_size, int64_t{row.low} + 1, column),
                     row.high_weight);
}

}  // namespace mrcnn
