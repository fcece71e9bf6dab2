#include "data/coco/geometry.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/coco/element_checks.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

std::vector<uint32_t> packed(const std::vector<double>& coordinates) {
  PolygonPacker packer;
  for (const double coordinate : coordinates) packer.add(coordinate);
  CHECK(packer.size() == coordinates.size());
  std::vector<uint32_t> words;
  packer.append_to(words);
  return words;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST_CASE("EveryDoubleComesBackBitByBit") {
  const std::vector<double> odd = {0.0,
                                   -0.0,
                                   0.005,
                                   1e300,
                                   -1e-300,
                                   655.35,
                                   655.36,
                                   21474836.47,
                                   21474836.48,
                                   -21474836.48,
                                   1.0 / 3,
                                   std::nextafter(239.97, 240),
                                   std::numeric_limits<double>::denorm_min()};
  for (const double value : odd) {
    CAPTURE(value);
    CHECK(same_bits(unpack_polygons(packed({value}))[0], {value}));
    CHECK(same_bits(unpack_polygons(packed({1.25, value, 3}))[0], {1.25, value, 3}));
  }
  for (uint32_t number = 0; number < 2000; ++number) {
    const RandomStream random{.seed = 41, .step = number};
    std::vector<double> coordinates(1 + number % 9);
    for (size_t i = 0; i < coordinates.size(); ++i) {
      const double value = random.uniform(2 * i);
      switch (random.word(2 * i + 1) % (1 + number % 3)) {
        case 0:
          coordinates[i] = std::round(64000 * value) / 100;
          break;
        case 1:
          coordinates[i] = std::round(1e8 * (value - 0.5)) / 100;
          break;
        default:
          coordinates[i] = 640 * value;
      }
    }
    REQUIRE(same_bits(unpack_polygons(packed(coordinates))[0], coordinates));
  }
}

TEST_CASE("TheFormIsTheSmallestThatHoldsThePolygon") {
  CHECK(packed({0, 655.35, 12.5}).size() == 1 + 2);
  CHECK(packed({0, 655.36, 12.5}).size() == 1 + 3);
  CHECK(packed({0, -0.01, 12.5}).size() == 1 + 3);
  CHECK(packed({0, 0.001, 12.5}).size() == 1 + 6);
  CHECK(packed({0, -0.0, 12.5}).size() == 1 + 6);
}

TEST_CASE("TextOfHundredthsIsReadAsItsNearestDouble") {
  for (const char* text : {"0", "5", "-5", "12.3", "12.30", "-0.07", "9999999.99", "7 \n", "0.0"}) {
    CAPTURE(text);
    const std::optional<int32_t> hundredths = read_hundredths(text);
    REQUIRE(hundredths);
    CHECK(*hundredths / 100.0 == std::strtod(text, nullptr));
  }
  for (const char* text : {"", "-", "01", "-01", "00", ".5", "5.", "1e2", "1.234", "12345678", "-0",
                           "-0.0", "0x1", "1 2", "+1", "NaN", "1.2.3"}) {
    CAPTURE(text);
    CHECK(!read_hundredths(text));
  }
  for (int32_t k = 0; k < 65536; ++k) {
    const std::string text =
        std::to_string(k / 100) + "." + std::to_string(k % 100 / 10) + std::to_string(k % 10);
    REQUIRE(read_hundredths(text) == k);
    REQUIRE(std::strtod(text.c_str(), nullptr) == k / 100.0);
  }
}

TEST_CASE("MasksAreDrawnFromEveryKind") {
  CHECK(draw_mask(GeometryKind::kNone, {}, 4, 5) == Rle{4, 5, {20}});
  std::vector<uint32_t> words = packed({1, 1, 1, 3, 2, 3, 2, 1});
  const std::vector<uint32_t> second = packed({3, 0, 3, 4, 5, 4, 5, 0});
  words.insert(words.end(), second.begin(), second.end());
  CHECK(draw_mask(GeometryKind::kPolygons, words, 4, 5) ==
        rle_from_polygons(unpack_polygons(words), 4, 5));
  CHECK(rle_area(draw_mask(GeometryKind::kPolygons, words, 4, 5)) == 2 + 8);

  std::vector<uint32_t> counts;
  append_counts(std::vector<int64_t>{3, 5, 0, 2, 10}, 4, 5, counts);
  CHECK(draw_mask(GeometryKind::kCounts, counts, 4, 5) == Rle{4, 5, {3, 7, 10}});
  std::vector<uint32_t> text;
  append_string("37:", 4, 5, text);
  CHECK(draw_mask(GeometryKind::kString, text, 4, 5) == Rle{4, 5, {3, 7, 10}});
}

TEST_CASE("RejectsWordsThatDescribeNothing") {
  using Words = std::vector<uint32_t>;
  const auto check = [](GeometryKind kind, const Words& words, const char* message) {
    CHECK_THROWS_WITH_AS(draw_mask(kind, words, 4, 5), doctest::Contains(message), Error);
  };
  check(GeometryKind::kPolygons, {4 * 6 + 0, 1, 2}, "outside the table");
  check(GeometryKind::kPolygons, {0xFFFFFFFF}, "outside the table");
  check(GeometryKind::kPolygons, {0xFFFFFFFC, 1}, "outside the table");
  check(GeometryKind::kPolygons, {4 * 1 + 3, 1, 2}, "outside the table");
  check(GeometryKind::kPolygons, {4 * 2 + 2, 0, 0x7FF00000, 0, 0}, "not a number of pixels");
  check(GeometryKind::kCounts, {4}, "without a size");
  check(GeometryKind::kCounts, {5, 4, 20}, "run lengths of 4x5 pixels in an image of 5x4");
  check(GeometryKind::kCounts, {4, 5, 19}, "add up to 19");
  check(GeometryKind::kString, {4, 5}, "outside the table");
  check(GeometryKind::kString, {4, 5, 5, 0}, "outside the table");
  check(GeometryKind::kString, {4, 5, 1, 0x20}, "outside '0'..'o'");
  check(static_cast<GeometryKind>(9), {}, "unknown kind");
}

}  // namespace
}  // namespace mrcnn
