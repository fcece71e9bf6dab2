#include "data/masks/polygon.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/masks/outline.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

using Corners = std::vector<double>;

// Tells what is on screen: rows of '.' and '#'.
std::string draw(const Rle& rle) {
  std::vector<uint8_t> bitmap(static_cast<size_t>(rle.height * rle.width));
  rle_to_bitmap(rle, bitmap);
  std::string picture;
  for (size_t i = 0; i < bitmap.size(); ++i) {
    picture += bitmap[i] != 0 ? '#' : '.';
    if ((i + 1) % static_cast<size_t>(rle.width) == 0) picture += '\n';
  }
  return picture;
}

TEST_CASE("RejectsWhatIsNoPolygonOfPixels") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {infinity, -infinity, std::nan(""), 1e300, 1.1e8, -1.1e8}) {
    CHECK_THROWS_WITH_AS(rle_from_polygon(Corners{0, 0, 4, bad, 4, 4}, 5, 5),
                         doctest::Contains("is not a number of pixels"), Error);
  }
  CHECK_THROWS_WITH_AS(rle_from_polygon(Corners{0, 0, 1, 0, 1, 1}, 0, 5), doctest::Contains("5x0"),
                       Error);
  CHECK_THROWS_WITH_AS(rle_from_polygon({}, int64_t{1} << 31, int64_t{1} << 31),
                       doctest::Contains("is not between 1x1"), Error);
  try {
    rle_from_polygon({}, 0, 0);
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::kData);
  }
}

TEST_CASE("MatchesGolden: polygons rasterised by pycocotools") {
  std::ifstream file(MRCNN_TEST_DATA "/golden/rle/polygons.txt");
  REQUIRE(file.good());
  int64_t height = 0, width = 0;
  size_t num_polygons = 0;
  int num_read = 0;
  while (file >> height >> width >> num_polygons) {
    std::vector<Corners> polygons(num_polygons);
    for (Corners& polygon : polygons) {
      size_t count = 0;
      file >> count;
      polygon.resize(count);
      for (double& value : polygon) file >> value;
    }
    std::string expected;
    file >> expected;
    CAPTURE(num_read);
    CHECK(rle_to_string(rle_from_polygons(polygons, height, width)) == expected);
    ++num_read;
  }
  CHECK(num_read == 420);
}

TEST_CASE("OutlinesOfAMaskGiveTheMaskBack") {
  for (uint32_t number = 0; number < 300; ++number) {
    const RandomStream random{.seed = 31, .step = number};
    const int64_t height = 1 + number % 19;
    const int64_t width = 1 + number % 23;
    std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
    for (size_t i = 0; i < bitmap.size(); ++i) bitmap[i] = random.uniform(i + 1) < 0.6F;
    const Rle mask = rle_from_bitmap(bitmap, height, width);
    std::vector<Corners> polygons;
    for (const Polygon& outline : mask_outlines(mask, HoleStyle::kBridged)) {
      polygons.emplace_back(outline.begin(), outline.end());
    }
    REQUIRE(rle_from_polygons(polygons, height, width) == mask);
  }
}

TEST_CASE("Edges: rectangles, leaving the image, and what has no area") {
  CHECK(draw(rle_from_polygon(Corners{1, 1, 1, 3, 4, 3, 4, 1}, 4, 5)) ==
        ".....\n"
        ".###.\n"
        ".###.\n"
        ".....\n");
  const Rle full{4, 5, {0, 20}};
  const Rle empty{4, 5, {20}};
  CHECK(rle_from_polygon(Corners{-1e8, -1e8, -1e8, 1e8, 1e8, 1e8, 1e8, -1e8}, 4, 5) == full);
  CHECK(rle_from_polygon(Corners{-9, -9, -9, -2, -3, -2, -3, -9}, 4, 5) == empty);
  CHECK(rle_from_polygon(Corners{9, 9, 9, 12, 13, 12, 13, 9}, 4, 5) == empty);
  CHECK(rle_from_polygon(Corners{2, 2, 2, 2, 2, 2}, 4, 5) == empty);
  CHECK(rle_from_polygon(Corners{0, 0, 5, 4}, 4, 5) == empty);
  CHECK(rle_from_polygon(Corners{1, 1}, 4, 5) == empty);
  CHECK(rle_from_polygon({}, 4, 5) == empty);
  CHECK(rle_from_polygons({}, 4, 5) == empty);
  CHECK(rle_from_polygon(Corners{1, 1, 1, 3, 4, 3, 4, 1, 7}, 4, 5) ==
        rle_from_polygon(Corners{1, 1, 1, 3, 4, 3, 4, 1}, 4, 5));
}

TEST_CASE("AnOutlineWalkedOftenCancelsInPairs") {
  const auto walked = [](int times) {
    Corners corners;
    for (int i = 0; i < times; ++i) corners.insert(corners.end(), {3, 2, 3, 9, 61, 9, 61, 2, 3, 2});
    return rle_from_polygon(corners, 12, 64);
  };
  // 2.3 million crossings, of which no more are kept than the image has pixels.
  CHECK(walked(20001) == walked(1));
  CHECK(walked(20000) == Rle{12, 64, {12 * 64}});
}

// Strips across a wide image have so many runs that they are not kept one by one.
TEST_CASE("ManyWidePolygonsAreTheUnionOfTheirMasks") {
  constexpr int64_t kHeight = 64, kWidth = 50'000;
  std::vector<Corners> strips;
  std::vector<Rle> masks;
  for (int i = 0; i < 32; ++i) {
    const double top = 2 * ((i * 7) % 32), right = kWidth - i;
    strips.push_back({0, top, right, top, right, top + 1, 0, top + 1});
    masks.push_back(rle_from_polygon(strips.back(), kHeight, kWidth));
  }
  size_t num_runs = 0;
  for (const Rle& mask : masks) num_runs += mask.counts.size();
  REQUIRE(num_runs > size_t{2} << 20);
  CHECK(rle_from_polygons(strips, kHeight, kWidth) == rle_merge(masks));
}

}  // namespace
}  // namespace mrcnn
