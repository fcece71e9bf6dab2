// Boxes and probability maps that the tests of binary masks share.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/tensor.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

// Boxes of all sizes from 0 to twice the image, many past its border.
inline Tensor random_boxes(int64_t count, int64_t height, int64_t width, uint64_t seed) {
  Tensor boxes = random_tensor({count, 4}, seed, 0, 1);
  for (int64_t i = 0; i < count; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    const float size_x = 2 * box[2] * box[2] * static_cast<float>(width);
    const float size_y = 2 * box[3] * box[3] * static_cast<float>(height);
    box[0] = (1.6F * box[0] - 0.3F) * static_cast<float>(width) - size_x / 2;
    box[1] = (1.6F * box[1] - 0.3F) * static_cast<float>(height) - size_y / 2;
    box[2] = box[0] + size_x;
    box[3] = box[1] + size_y;
  }
  return boxes;
}

// Smooth blobs, as a network gives them: a logistic of the distance to a random ellipse.
inline Tensor blob_masks(int64_t count, int64_t size, uint64_t seed) {
  const Tensor shape = random_tensor({count, 4}, seed, 0.2, 0.8);
  Tensor masks = Tensor::empty({count, size, size});
  float* value = masks.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    const float* p = shape.data<const float>() + 4 * i;
    for (int64_t y = 0; y < size; ++y) {
      for (int64_t x = 0; x < size; ++x) {
        const float u = (static_cast<float>(x) / static_cast<float>(size) - p[0]) / p[2];
        const float v = (static_cast<float>(y) / static_cast<float>(size) - p[1]) / p[3];
        *value++ = 1 / (1 + std::exp(10 * (u * u + v * v - 0.5F)));
      }
    }
  }
  return masks;
}

// One box of each kind: inside, past each border, over all of the image, through its whole height,
// one pixel, outside, inverted, not finite.
inline Tensor edge_boxes(int64_t height, int64_t width) {
  const auto h = static_cast<float>(height), w = static_cast<float>(width);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> boxes{
      0.2F * w, 0.3F * h, 0.7F * w, 0.6F * h, -0.3F * w, -0.2F * h, 0.5F * w, 0.4F * h,
      0.6F * w, 0.5F * h, 1.4F * w, 1.2F * h, -w,        -h,        2 * w,    2 * h,
      0.4F * w, -h,       0.8F * w, 2 * h,    0.5F * w,  0.5F * h,  0.5F * w, 0.5F * h,
      w + 9,    1,        w + 12,   h,        0.7F * w,  0.1F * h,  0.3F * w, 0.9F * h,
      nan,      0,        5,        5,        0,         0,         infinity, 5};
  return Tensor::from(boxes, {static_cast<int64_t>(boxes.size()) / 4, 4});
}

}  // namespace mrcnn::test
