#include "tools/draw/overlay.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/error.h"
#include "data/masks/rle.h"
#include "tools/draw/palette.h"

namespace mrcnn {
namespace {

constexpr int64_t kHeight = 90;
constexpr int64_t kWidth = 120;

Tensor gray_image(int64_t height = kHeight, int64_t width = kWidth) {
  Tensor image = Tensor::empty(Shape{height, width, 3}, DType::kU8);
  for (uint8_t& value : image.span<uint8_t>()) value = 100;
  return image;
}

std::vector<uint8_t> disc(int64_t height, int64_t width, double cy, double cx, double radius) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const double dy = static_cast<double>(y) + 0.5 - cy;
      const double dx = static_cast<double>(x) + 0.5 - cx;
      bitmap[static_cast<size_t>(y * width + x)] = std::hypot(dy, dx) < radius;
    }
  }
  return bitmap;
}

RgbColour pixel(const Tensor& image, int64_t y, int64_t x) {
  const uint8_t* values = image.data<uint8_t>() + 3 * (y * image.size(1) + x);
  return {values[0], values[1], values[2]};
}

constexpr RgbColour kGray{100, 100, 100};

int largest_difference(const RgbColour& a, const RgbColour& b) {
  int largest = 0;
  for (size_t c = 0; c < 3; ++c) largest = std::max(largest, std::abs(a[c] - b[c]));
  return largest;
}

OverlayItem disc_item(double cy, double cx, double radius, int64_t label) {
  OverlayItem item;
  item.mask = rle_from_bitmap(disc(kHeight, kWidth, cy, cx, radius), kHeight, kWidth);
  item.label = label;
  return item;
}

TEST_CASE("RejectsWhatDoesNotFit") {
  CHECK_THROWS_WITH_AS(draw_overlay(Tensor::zeros(Shape{4, 4}, DType::kU8), {}),
                       doctest::Contains("[H,W,3] u8"), ShapeError);
  CHECK_THROWS_AS(draw_overlay(Tensor::zeros(Shape{4, 4, 3}), {}), ShapeError);
  const std::vector<OverlayItem> other{{.mask = Rle{4, 4, {16}}, .text = ""}};
  CHECK_THROWS_WITH_AS(draw_overlay(gray_image(), other), doctest::Contains("mask 0 is 4x4"),
                       ShapeError);
}

TEST_CASE("TheMaskIsTintedAndNothingElse") {
  // Widths of the contour from none up to the widest, each with its own smoothing window.
  for (const int64_t scale : {0, 1, 2, 3, 4, 5, 6, 7}) {
    CAPTURE(scale);
    const OverlayItem item = disc_item(45, 60, 30, 3);
    OverlayStyle style{.contours = scale > 0, .boxes = false, .scale = std::max<int64_t>(scale, 1)};
    const Tensor image = gray_image();
    const Tensor result = draw_overlay(image, {&item, 1}, style);
    CHECK(pixel(image, 45, 60) == kGray);  // the photo itself is not touched
    CHECK(pixel(result, 45, 60) != kGray);
    // The first row of the mask is half a pixel inside; curvature takes a little opacity.
    if (scale > 0) CHECK(largest_difference(pixel(result, 15, 60), class_colour(3)) <= 10);
    for (int64_t y = 0; y < kHeight; ++y) {
      for (int64_t x = 0; x < kWidth; ++x) {
        const double from_centre =
            std::hypot(static_cast<double>(y) + 0.5 - 45, static_cast<double>(x) + 0.5 - 60);
        const double reach = static_cast<double>(scale) * 0.8 + 2;
        if (from_centre > 30 + reach) REQUIRE(pixel(result, y, x) == kGray);
        if (from_centre < 30 - reach) REQUIRE(pixel(result, y, x) == pixel(result, 45, 60));
      }
    }
  }
}

TEST_CASE("NoContourRunsAlongTheBorderOfThePicture") {
  OverlayItem item;
  item.mask = Rle{kHeight, kWidth, {0, static_cast<uint32_t>(kHeight * kWidth)}};
  item.label = 5;
  const Tensor result = draw_overlay(gray_image(), {&item, 1}, {.boxes = false});
  for (int64_t x = 0; x < kWidth; ++x) {
    REQUIRE(pixel(result, 0, x) == pixel(result, 45, 60));
    REQUIRE(pixel(result, kHeight - 1, x) == pixel(result, 45, 60));
  }
}

TEST_CASE("SmallObjectsLieOnTop") {
  const std::vector<OverlayItem> items{disc_item(45, 60, 8, 1), disc_item(45, 60, 35, 2)};
  const std::vector<OverlayItem> reversed{items[1], items[0]};
  const OverlayStyle opaque{.mask_alpha = 1, .contours = false, .boxes = false};
  for (const auto& order : {items, reversed}) {
    const Tensor result = draw_overlay(gray_image(), order, opaque);
    CHECK(pixel(result, 45, 60) == class_colour(1));
    CHECK(pixel(result, 45, 80) == class_colour(2));
  }
}

TEST_CASE("BoxesAreOutlines") {
  OverlayItem item;
  item.box = {20.2F, 30.4F, 70.6F, 60.1F};
  item.label = 4;
  const Tensor result = draw_overlay(gray_image(), {&item, 1});
  for (const auto& [y, x] : {std::pair{30, 20}, {30, 70}, {59, 20}, {59, 70}, {45, 20}, {30, 50}}) {
    CHECK(pixel(result, y, x) != kGray);
    CHECK(pixel(result, y, x) == pixel(result, 30, 20));  // corners are no darker
  }
  CHECK(pixel(result, 45, 45) == kGray);
  CHECK(pixel(result, 29, 20) == kGray);
  CHECK(pixel(result, 60, 20) == kGray);
  CHECK(pixel(result, 45, 71) == kGray);
}

TEST_CASE("LabelsStandAboveTheirBox") {
  OverlayItem item;
  item.box = {20, 40, 110, 80};
  item.label = 4;
  item.text = "dog 87%";
  const Tensor with = draw_overlay(gray_image(), {&item, 1});
  CHECK(pixel(with, 27, 21) != kGray);
  CHECK(pixel(with, 24, 21) == kGray);
  const Tensor without = draw_overlay(gray_image(), {&item, 1}, {.labels = false});
  CHECK(pixel(without, 27, 21) == kGray);
}

TEST_CASE("Edges: no objects, odd boxes, one pixel") {
  const Tensor image = gray_image();
  const Tensor same = draw_overlay(image, {});
  CHECK(std::equal(image.span<uint8_t>().begin(), image.span<uint8_t>().end(),
                   same.span<uint8_t>().begin()));
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<OverlayItem> odd(6);
  odd[0].box = {kNan, 1, 5, 5};
  odd[1].box = {-kInf, -kInf, kInf, kInf};
  odd[2].box = {-50, -50, -40, -40};
  odd[3].box = {500, 500, 1e30F, 1e30F};
  odd[4].box = {9, 9, 3, 3};
  odd[5].mask = Rle{kHeight, kWidth, {static_cast<uint32_t>(kHeight * kWidth)}};
  for (OverlayItem& item : odd) item.text = "odd \xC3\xA9\n";
  draw_overlay(image, odd);
  OverlayItem dot;
  dot.mask = Rle{1, 1, {0, 1}};
  dot.text = "a label larger than the picture";
  draw_overlay(gray_image(1, 1), {&dot, 1});
}

}  // namespace
}  // namespace mrcnn
