#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/fnv1a.h"
#include "data/masks/polygon.h"
#include "data/masks/rle.h"
#include "tests/support/draws.h"
#include "tests/support/golden.h"

namespace mrcnn {
namespace {

constexpr uint32_t kChunk = 1000;

struct Drawn {
  std::vector<double> corners;
  int64_t height;
  int64_t width;
};

// The rule of tests/golden/make_polygon_hashes.py.
Drawn random_polygon(uint32_t number) {
  constexpr std::array<int64_t, 5> kParts = {1, 5, 10, 100, 28672};
  test::Draws draws(41, number);
  Drawn drawn;
  drawn.height = 1 + draws.below(59);
  drawn.width = 1 + draws.below(59);
  const int64_t num_corners = 3 + draws.below(9);
  const int64_t kind = draws.below(5);
  const int64_t chance = draws.below(100);
  const int64_t percent = chance < 45 ? 100 : chance < 80 ? 160 : chance < 95 ? 800 : 40000;
  std::array<int64_t, 2> starts{}, sizes{};
  for (const size_t axis : {0U, 1U}) {
    const int64_t side = axis == 0 ? drawn.width : drawn.height;
    const int64_t extent = std::max<int64_t>(1, side * percent / 100);
    sizes[axis] = 1 + draws.below(extent);
    starts[axis] = draws.below(extent + 1) - (extent - side) / 2 - sizes[axis] / 2;
  }
  const int64_t parts = kParts[static_cast<size_t>(kind)];
  for (int64_t corner = 0; corner < num_corners; ++corner) {
    for (const size_t axis : {0U, 1U}) {
      const int64_t part = draws.below(sizes[axis] * parts + 1);
      drawn.corners.push_back(static_cast<double>(starts[axis] * parts + part) /
                              static_cast<double>(parts));
    }
    const size_t end = drawn.corners.size();
    if (kind == 0 && corner % 2 == 1) drawn.corners[end - 2] = drawn.corners[end - 4];
  }
  return drawn;
}

TEST_CASE("MatchesGolden: 60,000 random polygons rasterised by pycocotools, byte by byte") {
  const Tensor hashes = test::GoldenFile("polygon_hashes.safetensors").golden("hashes");
  REQUIRE(hashes.numel() == 60);
  for (uint32_t chunk = 0; chunk < 60; ++chunk) {
    std::string lines;
    for (uint32_t number = chunk * kChunk; number < (chunk + 1) * kChunk; ++number) {
      const Drawn drawn = random_polygon(number);
      lines += rle_to_string(rle_from_polygon(drawn.corners, drawn.height, drawn.width)) + "\n";
    }
    CAPTURE(chunk);  // polygons chunk * 1000 on
    CHECK(static_cast<int64_t>(fnv1a64(lines)) == hashes.data<const int64_t>()[chunk]);
  }
}

}  // namespace
}  // namespace mrcnn
