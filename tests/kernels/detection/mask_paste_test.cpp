#include "kernels/detection/mask_paste.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "tests/kernels/detection/mask_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.numel() == b.numel());
  double worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    worst = std::max(worst, std::abs(double{a.data<const float>()[i]} - b.data<const float>()[i]));
  }
  return worst;
}

bool all_zero(const Tensor& canvas) {
  return std::all_of(canvas.span<const float>().begin(), canvas.span<const float>().end(),
                     [](float v) { return v == 0; });
}

Tensor make_box(float x1, float y1, float x2, float y2) {
  return Tensor::from(std::vector<float>{x1, y1, x2, y2}, {4});
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor box = make_box(1, 2, 3, 4);
  CHECK_THROWS_WITH_AS(paste_mask(test::random_tensor({3, 4}, 1), box, 5, 5),
                       doctest::Contains("[M,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(paste_mask(Tensor::empty({0, 0}), box, 5, 5), doctest::Contains("[M,M]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(paste_mask(test::random_tensor({4, 4}, 1), Tensor::zeros({1, 4}), 5, 5),
                       doctest::Contains("box must be [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(paste_mask(test::random_tensor({4, 4}, 1), box, -5, 5),
                       doctest::Contains("negative"), ShapeError);
}

TEST_CASE("Matches torchvision") {
  const test::GoldenFile file("torchvision_ops.safetensors");
  const Tensor masks = file.golden("paste_masks/masks");
  const Tensor boxes = file.golden("paste_masks/boxes");
  const Tensor expected = file.golden("paste_masks/out");
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const Tensor canvas = paste_mask(masks.slice(i, i + 1).reshape({28, 28}),
                                     boxes.slice(i, i + 1).reshape({4}), 80, 100);
    // 5e-6: torch rounds a source coordinate of up to 30 once or twice, depending on its build and
    // threads; that is 2e-6 of a source pixel.
    CHECK(difference(canvas, expected.slice(i, i + 1).reshape({80, 100})) < 5e-6);
  }
}

TEST_CASE("Matches the original system's example") {
  Tensor ones = Tensor::empty({4, 4});
  fill_(ones, 1);
  const Tensor canvas = paste_mask(ones, make_box(2.3F, 1.7F, 9.6F, 7.2F), 8, 10, 0);
  const std::vector<float> edge{0,      0.198864F, 0.539773F, 0.625F,    0.625F,
                                0.625F, 0.625F,    0.625F,    0.539773F, 0.198864F};
  const std::vector<float> middle{0, 0.318182F, 0.863636F, 1, 1, 1, 1, 1, 0.863636F, 0.318182F};
  const float* value = canvas.data<const float>();
  for (int64_t y = 0; y < 8; ++y) {
    for (size_t x = 0; x < 10; ++x, ++value) {
      const bool outside = y == 0 || y == 7;
      const float expected = outside ? 0 : y == 1 || y == 6 ? edge[x] : middle[x];
      CHECK(std::abs(*value - expected) < 1e-6);
    }
  }
}

TEST_CASE("CUDA gives the CPU's values") {
  test::on_cuda([](Device device) {
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{9, 33}, {31, 8}, {0, 5}}) {
      const Tensor boxes = test::edge_boxes(height, width);
      Tensor probs = test::random_tensor({7, 7}, 2, 0, 1);
      probs.data<float>()[17] = std::nanf("");
      const Tensor device_probs = copy_to(probs, device);
      for (int64_t i = 0; i < boxes.size(0); ++i) {
        const Tensor box = boxes.slice(i, i + 1).reshape({4});
        CAPTURE(i);
        CHECK(test::count_far(paste_mask(device_probs, copy_to(box, device), height, width, i % 2),
                              paste_mask(probs, box, height, width, i % 2), 0) == 0);
      }
    }
  });
}

TEST_CASE("Edges: outside, inverted, not finite, huge, one pixel, empty canvas") {
  const Tensor probs = test::random_tensor({28, 28}, 1, 0.5, 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(all_zero(paste_mask(probs, make_box(50, 50, 60, 60), 20, 20)));
  CHECK(all_zero(paste_mask(probs, make_box(-60, -60, -50, -50), 20, 20)));
  CHECK(all_zero(paste_mask(probs, make_box(10, 2, 5, 9), 20, 20)));
  CHECK(all_zero(paste_mask(probs, make_box(nan, 2, 5, 9), 20, 20)));
  CHECK(all_zero(paste_mask(probs, make_box(0, 2, infinity, 9), 20, 20)));
  CHECK(all_zero(paste_mask(probs, make_box(-3e38F, 2, 3e38F, 9), 20, 20)));
  CHECK_FALSE(all_zero(paste_mask(probs, make_box(-1e6F, -1e6F, 1e6F, 1e6F), 20, 20)));
  CHECK_FALSE(all_zero(paste_mask(probs, make_box(3, 3, 3, 3), 20, 20)));
  CHECK(paste_mask(probs, make_box(0, 0, 5, 5), 0, 7).shape() == Shape{0, 7});
}

}  // namespace
}  // namespace mrcnn
