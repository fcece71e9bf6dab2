#include "kernels/detection/anchors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "kernels/detection/anchors_math.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

const std::vector<double> kRatios{0.5, 1, 2};

TEST_CASE("Rejects inputs that do not fit") {
  CHECK_THROWS_WITH_AS(base_anchors({}, kRatios, false), doctest::Contains("no sizes"), ShapeError);
  const std::vector<double> negative{32, -1};
  CHECK_THROWS_WITH_AS(base_anchors(negative, kRatios, false), doctest::Contains("positive"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(grid_anchors(test::random_tensor({3, 5}, 1), 2, 2, 4, 4),
                       doctest::Contains("[A,4]"), ShapeError);
  CHECK_THROWS_WITH_AS(grid_anchors(test::random_tensor({3, 4}, 1), -2, 2, 4, 4),
                       doctest::Contains("negative"), ShapeError);
}

TEST_CASE("Matches torchvision's anchors of five levels") {
  const test::GoldenFile file("torchvision_ops.safetensors");
  const Tensor image = file.golden("anchors/image_size");
  const Tensor grids = file.golden("anchors/grids");
  const Tensor expected = file.golden("anchors/anchors");
  int64_t row = 0;
  for (int64_t level = 0; level < grids.size(0); ++level) {
    const std::vector<double> sizes{32.0 * static_cast<double>(1 << level)};
    const int64_t height = grids.data<const int64_t>()[2 * level];
    const int64_t width = grids.data<const int64_t>()[2 * level + 1];
    const Tensor anchors = grid_anchors(base_anchors(sizes, kRatios, true), height, width,
                                        image.data<const int64_t>()[0] / height,
                                        image.data<const int64_t>()[1] / width);
    const Tensor part = expected.slice(row, row + anchors.size(0));
    CHECK(std::equal(anchors.span<const float>().begin(), anchors.span<const float>().end(),
                     part.span<const float>().begin()));
    row += anchors.size(0);
  }
  CHECK(row == expected.size(0));
}

TEST_CASE("Rounds base anchors half to even, as torchvision does") {
  const std::vector<double> sizes{32, 64, 128, 256, 512};
  const Tensor base = base_anchors(sizes, kRatios, true);
  // Ratio 0.5 of each size: -22.63, -45.25, -90.51, -181.02, -362.04.
  for (int64_t i = 0; i < 5; ++i) {
    CHECK(base.data<const float>()[12 * i] == std::vector<float>{-23, -45, -91, -181, -362}[i]);
  }
  // 5 / 2 = 2.5 goes to 2, 7 / 2 = 3.5 to 4.
  const std::vector<double> halves{5, 7};
  const std::vector<double> square{1};
  const Tensor rounded = base_anchors(halves, square, true);
  CHECK(rounded.data<const float>()[2] == 2);
  CHECK(rounded.data<const float>()[6] == 4);
}

TEST_CASE("Matches the original system's anchors") {
  const std::vector<double> sizes{128, 256, 512};
  const Tensor base = base_anchors(sizes, kRatios, false);
  REQUIRE(base.shape() == Shape{9, 4});
  const std::vector<float> half_widths{90.509666F, 64,          45.254833F, 181.019333F, 128,
                                       90.509666F, 362.038666F, 256,        181.019333F};
  const std::vector<float> half_heights{45.254833F,  64,          90.509666F, 90.509666F, 128,
                                        181.019333F, 181.019333F, 256,        362.038666F};
  for (size_t i = 0; i < 9; ++i) {
    const float* box = base.data<const float>() + 4 * i;
    CHECK(box[2] == doctest::Approx(half_widths[i]).epsilon(1e-7));
    CHECK(box[3] == doctest::Approx(half_heights[i]).epsilon(1e-7));
    CHECK(box[0] == -box[2]);
    CHECK(box[1] == -box[3]);
  }
  const Tensor grid = grid_anchors(base, 25, 34, 32, 32);
  CHECK(grid.shape() == Shape{7650, 4});
  const std::vector<float> ninth{-58.509666F, -45.254833F, 122.509666F, 45.254833F};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(grid.data<const float>()[36 + i] == doctest::Approx(ninth[i]).epsilon(1e-7));
  }
}

// Anchors `index` of a grid against the golden boxes.
void check_anchors(const Tensor& anchors, const Tensor& index, const Tensor& boxes) {
  for (int64_t i = 0; i < index.numel(); ++i) {
    const float* anchor = anchors.data<const float>() + 4 * index.data<const int64_t>()[i];
    CHECK(std::equal(anchor, anchor + 4, boxes.data<const float>() + 4 * i));
  }
}

TEST_CASE("The stride is padded size / cells in integers: 61 for the last level of height 800") {
  const test::GoldenFile file("traps.safetensors");
  const Tensor padded_size = file.golden("anchors/padded_size");
  const std::span<const int64_t> padded = padded_size.span<const int64_t>();
  const Tensor grids = file.golden("anchors/grids");
  for (int64_t level = 0; level < grids.size(0); ++level) {
    CAPTURE(level);
    const std::vector<double> sizes{32.0 * static_cast<double>(1 << level)};
    const int64_t height = grids.data<const int64_t>()[2 * level];
    const int64_t width = grids.data<const int64_t>()[2 * level + 1];
    if (level == 4) CHECK(padded[0] / height == 61);
    const std::string name = "anchors/" + std::to_string(level);
    check_anchors(grid_anchors(base_anchors(sizes, kRatios, true), height, width,
                               padded[0] / height, padded[1] / width),
                  file.golden(name + "/index"), file.golden(name + "/boxes"));
  }
  const std::vector<double> original{128, 256, 512};
  const Tensor grid = file.golden("anchors/c5_grid");
  check_anchors(grid_anchors(base_anchors(original, kRatios, false), grid.data<const int64_t>()[0],
                             grid.data<const int64_t>()[1], 32, 32),
                file.golden("anchors/c5_index"), file.golden("anchors/c5_boxes"));
}

TEST_CASE("CUDA matches the CPU bit by bit at the edges of blocks") {
  test::on_cuda([](Device device) {
    struct Grid {
      int64_t anchors;
      int64_t height;
      int64_t width;
    };
    for (const Grid& grid : {Grid{1, 1, 1}, {3, 1, 11}, {3, 5, 17}, {1, 16, 16}, {9, 7, 13}}) {
      CAPTURE(grid.width);
      const Tensor base = test::random_tensor({grid.anchors, 4}, 5, -40, 40);
      const Tensor anchors = grid_anchors(copy_to(base, device), grid.height, grid.width, 61, 64);
      CHECK(anchors.device() == device);
      const Tensor expected = grid_anchors(base, grid.height, grid.width, 61, 64);
      CHECK(test::count_different_bits(anchors, expected) == 0);
      CHECK(grid_anchors(copy_to(base, device), 0, 5, 4, 4).shape() == Shape{0, 4});
    }
  });
}

TEST_CASE("Edges: empty grid, anchors computed one by one") {
  const Tensor base = test::random_tensor({3, 4}, 4, -9, 9);
  CHECK(grid_anchors(base, 0, 5, 4, 4).shape() == Shape{0, 4});
  const Tensor grid = grid_anchors(base, 5, 7, 61, 64);
  for (int64_t i = 0; i < grid.size(0); ++i) {
    const Box box =
        grid_anchor({.width = 7, .num_anchors = 3, .stride_height = 61, .stride_width = 64},
                    base.data<const float>(), i);
    CHECK(box.y2 == grid.data<const float>()[4 * i + 3]);
    CHECK(box.y2 == static_cast<float>(i / 21 * 61) + base.data<const float>()[i % 3 * 4 + 3]);
    CHECK(box.x1 == static_cast<float>(i / 3 % 7 * 64) + base.data<const float>()[i % 3 * 4]);
  }
}

}  // namespace
}  // namespace mrcnn
