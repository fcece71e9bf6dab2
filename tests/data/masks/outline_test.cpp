#include "data/masks/outline.h"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "core/random.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

// Toggles every pixel whose centre lies to the right of an edge: the even-odd rule.
void toggle_inside(const Polygon& polygon, int64_t height, int64_t width,
                   std::vector<uint8_t>& bitmap) {
  const size_t num_corners = polygon.size() / 2;
  for (size_t i = 0; i < num_corners; ++i) {
    const size_t j = (i + 1) % num_corners;
    const double x0 = polygon[2 * i], y0 = polygon[2 * i + 1];
    const double x1 = polygon[2 * j], y1 = polygon[2 * j + 1];
    for (int64_t y = 0; y < height; ++y) {
      const double centre = static_cast<double>(y) + 0.5;
      if ((y0 < centre) == (y1 < centre)) continue;
      // Both directions of a slit must cross at the same place, so the lower end comes first.
      const bool down = y0 < y1;
      const double xa = down ? x0 : x1, ya = down ? y0 : y1;
      const double xb = down ? x1 : x0, yb = down ? y1 : y0;
      const double cross = xa + (xb - xa) * (centre - ya) / (yb - ya);
      const auto first = static_cast<int64_t>(std::ceil(cross - 0.5));
      for (int64_t x = first; x < width; ++x) bitmap[static_cast<size_t>(y * width + x)] ^= 1;
    }
  }
}

std::vector<uint8_t> random_bitmap(uint32_t number, int64_t height, int64_t width) {
  const RandomStream random{.seed = 21, .step = number};
  const float density = random.uniform(0);
  std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
  for (size_t i = 0; i < bitmap.size(); ++i) bitmap[i] = random.uniform(i + 1) < density;
  return bitmap;
}

double signed_area(const Polygon& polygon) {
  double twice = 0;
  for (size_t i = 0; i < polygon.size(); i += 2) {
    const size_t j = (i + 2) % polygon.size();
    twice += double{polygon[i]} * polygon[j + 1] - double{polygon[j]} * polygon[i + 1];
  }
  return twice / 2;
}

TEST_CASE("EvenOddFillGivesTheMaskBack") {
  for (uint32_t number = 0; number < 400; ++number) {
    const int64_t height = 1 + number % 17;
    const int64_t width = 1 + number % 11;
    const std::vector<uint8_t> bitmap = random_bitmap(number, height, width);
    const Rle mask = rle_from_bitmap(bitmap, height, width);
    std::vector<uint8_t> filled(bitmap.size());
    double area = 0;
    for (const Polygon& polygon : mask_outlines(mask, HoleStyle::kSeparate)) {
      toggle_inside(polygon, height, width, filled);
      area += signed_area(polygon);
    }
    REQUIRE(filled == bitmap);
    REQUIRE(area == static_cast<double>(rle_area(mask)));  // clockwise +, holes -
  }
}

TEST_CASE("UnionOfBridgedPolygonsGivesTheMaskBack") {
  for (uint32_t number = 0; number < 400; ++number) {
    const int64_t height = 1 + number % 19;
    const int64_t width = 1 + number % 23;
    const std::vector<uint8_t> bitmap = random_bitmap(1000 + number, height, width);
    std::vector<uint8_t> united(bitmap.size());
    for (const Polygon& polygon :
         mask_outlines(rle_from_bitmap(bitmap, height, width), HoleStyle::kBridged)) {
      std::vector<uint8_t> alone(bitmap.size());
      toggle_inside(polygon, height, width, alone);
      for (size_t i = 0; i < alone.size(); ++i) united[i] |= alone[i];
    }
    REQUIRE(united == bitmap);
  }
}

TEST_CASE("Edges: empty, one pixel, touching corners, ring") {
  CHECK(mask_outlines(Rle{3, 3, {9}}, HoleStyle::kSeparate).empty());
  CHECK(mask_outlines(Rle{0, 3, {0}}, HoleStyle::kBridged).empty());
  const std::vector<Polygon> pixel = mask_outlines(Rle{3, 3, {4, 1, 4}}, HoleStyle::kSeparate);
  REQUIRE(pixel.size() == 1);
  CHECK(pixel[0] == Polygon{2, 1, 2, 2, 1, 2, 1, 1});
  CHECK(mask_outlines(Rle{2, 2, {0, 1, 2, 1}}, HoleStyle::kSeparate).size() == 2);

  const Rle ring{3, 3, {0, 4, 1, 4}};
  const std::vector<Polygon> separate = mask_outlines(ring, HoleStyle::kSeparate);
  REQUIRE(separate.size() == 2);
  CHECK(signed_area(separate[0]) == 9);
  CHECK(signed_area(separate[1]) == -1);
  const std::vector<Polygon> bridged = mask_outlines(ring, HoleStyle::kBridged);
  REQUIRE(bridged.size() == 1);
  CHECK(signed_area(bridged[0]) == 8);
}

}  // namespace
}  // namespace mrcnn
