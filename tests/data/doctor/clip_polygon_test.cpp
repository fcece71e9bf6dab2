#include "data/doctor/clip_polygon.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

TEST_CASE("What lies inside stays as it is, what lies outside goes") {
  const std::vector<double> inside = {1, 1, 9, 1, 9, 7, 1, 7};
  CHECK(clip_polygon(inside, 8, 10) == inside);
  CHECK(clip_polygon(std::vector<double>{11, 1, 19, 1, 19, 7}, 8, 10).empty());
  CHECK(clip_polygon(std::vector<double>{-4, 2, 4, 2, 4, 6, -4, 6}, 8, 10) ==
        std::vector<double>{0, 2, 4, 2, 4, 6, 0, 6});
}

constexpr int64_t kHeight = 40;
constexpr int64_t kWidth = 48;

// Whether a pixel touches one of the other kind.
bool is_at_edge(const std::vector<uint8_t>& bitmap, int64_t at) {
  const int64_t y = at / kWidth;
  const int64_t x = at % kWidth;
  for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, kHeight - 1); ++v) {
    for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, kWidth - 1); ++u) {
      if (bitmap[static_cast<size_t>(v * kWidth + u)] != bitmap[static_cast<size_t>(at)]) {
        return true;
      }
    }
  }
  return false;
}

// Corners are moved to a grid of a fifth of a pixel when a mask is drawn, and clipping makes new
// corners, so pixels along an edge may change: about six of a polygon, and none elsewhere.
TEST_CASE("Clipped polygons cover the same pixels") {
  const RandomStream random{.seed = 5, .purpose = RandomPurpose::kTest};
  uint64_t next = 0;
  int64_t different = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> corners;
    const int count = 3 + trial % 6;
    for (int i = 0; i < 2 * count; ++i) {
      corners.push_back(static_cast<double>(random.word(next++) % 1200) / 10 - 40);
    }
    const std::vector<double> clipped = clip_polygon(corners, kHeight, kWidth);
    for (size_t i = 0; i < clipped.size(); i += 2) {
      REQUIRE(clipped[i] >= 0);
      REQUIRE(clipped[i] <= kWidth);
      REQUIRE(clipped[i + 1] >= 0);
      REQUIRE(clipped[i + 1] <= kHeight);
    }
    std::vector<uint8_t> a(kHeight * kWidth), b(kHeight * kWidth);
    rle_to_bitmap(rle_from_polygon(corners, kHeight, kWidth), a);
    rle_to_bitmap(rle_from_polygon(clipped, kHeight, kWidth), b);
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      ++different;
      const auto at = static_cast<int64_t>(i);
      CHECK((is_at_edge(a, at) || is_at_edge(b, at)));
    }
  }
  CHECK(different < 300 * 8);
}

}  // namespace
}  // namespace mrcnn
