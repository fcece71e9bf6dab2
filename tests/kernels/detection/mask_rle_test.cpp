#include "kernels/detection/mask_rle.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/mask_paste.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// COCO's encoding of canvas > threshold, pixel by pixel.
Rle encode(const Tensor& canvas, float threshold) {
  Rle rle{.height = canvas.size(0), .width = canvas.size(1), .counts = {}};
  bool value = false;
  uint32_t run = 0;
  for (int64_t x = 0; x < rle.width; ++x) {
    for (int64_t y = 0; y < rle.height; ++y) {
      const bool pixel = canvas.data<const float>()[y * rle.width + x] > threshold;
      if (pixel != value) {
        rle.counts.push_back(run);
        run = 0;
        value = pixel;
      }
      ++run;
    }
  }
  rle.counts.push_back(run);
  return rle;
}

// Number of boxes whose run lengths are not those of the pasted bitmap.
int64_t count_mismatches(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                         const MaskRleParams& params) {
  const std::vector<Rle> encoded = masks_to_rle(probs, boxes, height, width, params);
  int64_t mismatches = 0;
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const Tensor canvas =
        paste_mask(probs.slice(i, i + 1).reshape({probs.size(1), probs.size(2)}),
                   boxes.slice(i, i + 1).reshape({4}), height, width, params.extra_pixel);
    if (encoded[static_cast<size_t>(i)] != encode(canvas, params.threshold)) ++mismatches;
  }
  return mismatches;
}

// Boxes of all sizes from 0 to twice the image, many past its border.
Tensor random_boxes(int64_t count, int64_t height, int64_t width, uint64_t seed) {
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
Tensor blob_masks(int64_t count, int64_t size, uint64_t seed) {
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

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor boxes = random_boxes(2, 9, 9, 1);
  const Tensor probs = random_tensor({2, 28, 28}, 1, 0, 1);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, random_boxes(3, 9, 9, 1), 9, 9),
                       doctest::Contains("probs must be [D,M,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(random_tensor({2, 28, 27}, 1), boxes, 9, 9),
                       doctest::Contains("[D,M,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 70000, 70000), doctest::Contains("cannot encode"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 9, -1), doctest::Contains("cannot encode"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(masks_to_rle(probs, boxes, 9, 9, {.threshold = -1}),
                       doctest::Contains("negative"), ShapeError);
}

TEST_CASE("Equals the encoding of the pasted bitmap on 10,000 boxes, also past the border") {
  CHECK(count_mismatches(random_tensor({4000, 28, 28}, 2, 0, 1), random_boxes(4000, 70, 90, 3), 70,
                         90, {}) == 0);
  CHECK(count_mismatches(blob_masks(4000, 28, 4), random_boxes(4000, 70, 90, 5), 70, 90,
                         {.extra_pixel = 0}) == 0);
  CHECK(count_mismatches(blob_masks(1000, 28, 6), random_boxes(1000, 311, 203, 7), 311, 203,
                         {.threshold = 0.3F}) == 0);
  CHECK(count_mismatches(random_tensor({1000, 14, 14}, 8, 0, 1), random_boxes(1000, 5, 7, 9), 5, 7,
                         {}) == 0);
}

TEST_CASE("Equals the encoding where rounding decides: plateaus at and around the threshold") {
  // Cells of 0.5 and its neighbours in f32, ones and zeros: ties everywhere.
  Tensor probs = random_tensor({500, 28, 28}, 10, 0, 5);
  const float below = std::nextafter(0.5F, 0.0F);
  const float above = std::nextafter(0.5F, 1.0F);
  const std::vector<float> levels{0, below, 0.5F, above, 1};
  for (float& value : probs.span<float>()) value = levels[static_cast<size_t>(value)];
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 11), 120, 90, {}) == 0);
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 12), 120, 90, {.threshold = 0}) == 0);
  fill_(probs, 1);
  CHECK(count_mismatches(probs, random_boxes(500, 120, 90, 13), 120, 90, {}) == 0);
}

TEST_CASE("Runs are canonical and add up") {
  const std::vector<Rle> encoded =
      masks_to_rle(random_tensor({200, 28, 28}, 14, 0, 1), random_boxes(200, 64, 48, 15), 64, 48);
  for (const Rle& rle : encoded) {
    CHECK(std::accumulate(rle.counts.begin(), rle.counts.end(), int64_t{0}) == 64 * 48);
    for (size_t i = 1; i < rle.counts.size(); ++i) CHECK(rle.counts[i] > 0);
  }
}

TEST_CASE("Edges: no masks, empty image, full image, nothing inside, NaN") {
  CHECK(masks_to_rle(Tensor::empty({0, 28, 28}), Tensor::empty({0, 4}), 9, 9).empty());

  Tensor ones = Tensor::empty({1, 28, 28});
  fill_(ones, 1);
  const Tensor box = Tensor::from(std::vector<float>{-90, -90, 99, 99}, {1, 4});
  CHECK(masks_to_rle(ones, box, 9, 8)[0].counts == std::vector<uint32_t>{0, 72});
  CHECK(masks_to_rle(ones, box, 0, 8)[0].counts == std::vector<uint32_t>{0});
  CHECK(masks_to_rle(Tensor::zeros({1, 28, 28}), box, 9, 8)[0].counts == std::vector<uint32_t>{72});

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor lost = Tensor::from(std::vector<float>{nan, 0, 5, 5}, {1, 4});
  CHECK(masks_to_rle(ones, lost, 9, 8)[0].counts == std::vector<uint32_t>{72});
  Tensor holes = random_tensor({1, 28, 28}, 16, 0, 1);
  for (int64_t i = 0; i < 784; i += 5) holes.data<float>()[i] = nan;
  CHECK(count_mismatches(holes, box, 90, 80, {}) == 0);
}

}  // namespace
}  // namespace mrcnn
