#include "data/masks/rle.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"

namespace mrcnn {
namespace {

// Canonical runs of a random mask with runs of all magnitudes.
Rle random_rle(uint32_t number) {
  const RandomStream random{.seed = 11, .step = number};
  const uint32_t num_runs = 1 + random.word(0) % 40;
  Rle rle;
  int64_t sum = 0;
  for (uint32_t i = 0; i < num_runs; ++i) {
    const uint32_t bits = 1 + random.word(2 * i + 1) % 20;
    const uint32_t run = (i == 0 ? 0 : 1) + (random.word(2 * i + 2) & ((1U << bits) - 1));
    rle.counts.push_back(run);
    sum += run;
  }
  if (sum == 0) rle.counts[0] = 1;
  rle.height = 1;
  rle.width = sum == 0 ? 1 : sum;
  return rle;
}

std::vector<uint8_t> random_bitmap(uint32_t number, int64_t height, int64_t width) {
  const RandomStream random{.seed = 12, .step = number};
  const float density = random.uniform(0);
  std::vector<uint8_t> bitmap(static_cast<size_t>(height * width));
  for (size_t i = 0; i < bitmap.size(); ++i) bitmap[i] = random.uniform(i + 1) < density;
  return bitmap;
}

std::ifstream open_golden(const char* name) {
  std::ifstream file(std::string(MRCNN_TEST_DATA "/golden/rle/") + name);
  REQUIRE(file.good());
  return file;
}

std::vector<uint8_t> unpack_bits(const std::string& digits, size_t count) {
  std::vector<uint8_t> bits;
  for (const char digit : digits) {
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    for (int bit = 3; bit >= 0 && bits.size() < count; --bit) {
      bits.push_back(static_cast<uint8_t>(value >> bit & 1));
    }
  }
  return bits;
}

TEST_CASE("RejectsDamagedStrings") {
  CHECK_THROWS_WITH(rle_from_string("0 2", 2, 2), doctest::Contains("byte 32 at 1"));
  CHECK_THROWS_WITH(rle_from_string("0p", 2, 2), doctest::Contains("outside '0'..'o'"));
  CHECK_THROWS_WITH(rle_from_string("0\xFF", 2, 2), doctest::Contains("byte 255"));
  CHECK_THROWS_WITH(rle_from_string("0P", 2, 2), doctest::Contains("ends inside a number"));
  CHECK_THROWS_WITH(rle_from_string("PPPPPPP0", 2, 2), doctest::Contains("more than 7 groups"));
  CHECK_THROWS_WITH(rle_from_string("O5", 2, 2), doctest::Contains("run 0 is negative: -1"));
  CHECK_THROWS_WITH(rle_from_string("11", 2, 2), doctest::Contains("add up to 2"));
  CHECK_THROWS_WITH(rle_from_string("15", 2, 2), doctest::Contains("more than 4 at run 1"));
  CHECK_THROWS_WITH(rle_from_string("", 2, 2), doctest::Contains("add up to 0"));
  // Differences may not lead below zero: runs 1 1 1, then 1 - 2.
  CHECK_THROWS_WITH(rle_from_string("111N", 2, 2), doctest::Contains("run 3 is negative"));
  CHECK_THROWS_WITH(rle_from_string("0", 0, 5), doctest::Contains("5x0"));
  CHECK_THROWS_WITH(rle_from_string("0", int64_t{1} << 31, int64_t{1} << 31),
                    doctest::Contains("not between 1x1"));
  CHECK_THROWS_WITH(rle_from_counts(std::vector<int64_t>{2, -1, 3}, 2, 2),
                    doctest::Contains("run 1 is negative: -1"));
  CHECK_THROWS_WITH(rle_from_counts(std::vector<int64_t>{int64_t{1} << 62, int64_t{1} << 62}, 2, 2),
                    doctest::Contains("more than 4 at run 0"));
  try {
    rle_from_string("11", 2, 2);
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::kData);
  }
}

TEST_CASE("RejectsSizesThatDoNotFit") {
  std::vector<uint8_t> bitmap(5);
  CHECK_THROWS_WITH_AS(rle_from_bitmap(bitmap, 2, 3), doctest::Contains("5 values"), ShapeError);
  CHECK_THROWS_AS(rle_to_bitmap(Rle{2, 3, {6}}, bitmap), ShapeError);
  CHECK_THROWS_WITH_AS(rle_merge(std::vector<Rle>{{2, 3, {6}}, {3, 2, {6}}}),
                       doctest::Contains("3x2 and 2x3"), ShapeError);
  // One side that differs is enough.
  CHECK_THROWS_AS(rle_merge(std::vector<Rle>{{2, 3, {6}}, {2, 4, {8}}}), ShapeError);
  CHECK_THROWS_AS(rle_merge(std::vector<Rle>{{2, 3, {6}}, {4, 3, {12}}}), ShapeError);
  CHECK_THROWS_AS(rle_merge({}), ShapeError);
}

TEST_CASE("MatchesGolden: bitmaps encoded by pycocotools") {
  std::ifstream file = open_golden("bitmaps.txt");
  int64_t height = 0, width = 0, area = 0;
  PixelBox box;
  std::string digits, text;
  int num_read = 0;
  while (file >> height >> width >> digits >> text >> area >> box.x >> box.y >> box.width >>
         box.height) {
    const std::vector<uint8_t> bitmap = unpack_bits(digits, static_cast<size_t>(height * width));
    const Rle rle = rle_from_bitmap(bitmap, height, width);
    CHECK(rle_to_string(rle) == text);
    CHECK(rle_from_string(text, height, width) == rle);
    CHECK(rle_area(rle) == area);
    CHECK(rle_bbox(rle) == box);
    std::vector<uint8_t> back(bitmap.size(), 9);
    rle_to_bitmap(rle, back);
    CHECK(back == bitmap);
    ++num_read;
  }
  CHECK(num_read == 300);
}

TEST_CASE("MatchesGolden: run lists encoded by pycocotools") {
  std::ifstream file = open_golden("counts.txt");
  std::string line;
  int num_read = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    int64_t height = 0, width = 0;
    std::string text;
    fields >> height >> width >> text;
    Rle expected{height, width, {}};
    std::vector<int64_t> counts;
    for (int64_t run = 0; fields >> run;) {
      expected.counts.push_back(static_cast<uint32_t>(run));
      counts.push_back(run);
    }
    CHECK(rle_to_string(expected) == text);
    CHECK(rle_from_string(text, height, width) == expected);
    CHECK(rle_from_counts(counts, height, width) == expected);
    ++num_read;
  }
  CHECK(num_read == 60);
}

TEST_CASE("MatchesGolden: the pinned example") {
  const Rle rle{1, 100017, {0, 5, 3, 7, 2, 100000}};
  CHECK(rle_to_string(rle) == "0532OidQ3");
  CHECK(rle_from_string("0532OidQ3", 1, 100017) == rle);
}

TEST_CASE("StringsRoundTrip") {
  for (uint32_t number = 0; number < 3000; ++number) {
    const Rle rle = random_rle(number);
    REQUIRE(rle_from_string(rle_to_string(rle), rle.height, rle.width) == rle);
  }
}

TEST_CASE("RunsOfNothingAreMerged") {
  // 1 background, 2 foreground, 0 background, 1 foreground, 0 background at the end.
  CHECK(rle_from_counts(std::vector<int64_t>{1, 2, 0, 1, 0}, 2, 2) == Rle{2, 2, {1, 3}});
  CHECK(rle_from_counts(std::vector<int64_t>{0, 0, 3, 1}, 2, 2) == Rle{2, 2, {3, 1}});
  CHECK(rle_from_counts(std::vector<int64_t>{0, 4}, 2, 2) == Rle{2, 2, {0, 4}});
  // Differences refer to the runs as written: 1 2 0 1, of which the fourth is 1 - 2.
  CHECK(rle_from_string("120O", 2, 2) == Rle{2, 2, {1, 3}});
}

TEST_CASE("UnionEqualsBitmapOr") {
  for (uint32_t number = 0; number < 200; ++number) {
    const int64_t height = 1 + number % 13;
    const int64_t width = 1 + number % 7;
    std::vector<Rle> masks;
    std::vector<uint8_t> expected(static_cast<size_t>(height * width));
    for (uint32_t part = 0; part <= number % 9; ++part) {
      const std::vector<uint8_t> bitmap = random_bitmap(number * 9 + part, height, width);
      for (size_t i = 0; i < bitmap.size(); ++i) expected[i] |= bitmap[i];
      masks.push_back(rle_from_bitmap(bitmap, height, width));
    }
    REQUIRE(rle_merge(masks) == rle_from_bitmap(expected, height, width));
  }
}

TEST_CASE("Edges: empty, full, and runs that cross columns") {
  CHECK(rle_bbox(Rle{3, 4, {12}}) == PixelBox{});
  CHECK(rle_area(Rle{3, 4, {12}}) == 0);
  CHECK(rle_bbox(Rle{3, 4, {0, 12}}) == PixelBox{0, 0, 4, 3});
  CHECK(rle_bbox(Rle{3, 4, {4, 3, 5}}) == PixelBox{1, 0, 2, 3});
  CHECK(rle_bbox(Rle{3, 4, {4, 0, 8}}) == PixelBox{});
  CHECK(rle_from_bitmap({}, 0, 4) == Rle{0, 4, {0}});
  const std::vector<Rle> whole{{3, 4, {0, 12}}, {3, 4, {12}}};
  CHECK(rle_merge(whole) == whole[0]);
}

}  // namespace
}  // namespace mrcnn
