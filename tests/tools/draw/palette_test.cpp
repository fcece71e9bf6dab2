#include "tools/draw/palette.h"

#include <doctest/doctest.h>

#include <cstdlib>

namespace mrcnn {
namespace {

int distance(const RgbColour& a, const RgbColour& b) {
  int sum = 0;
  for (size_t c = 0; c < 3; ++c) sum += std::abs(a[c] - b[c]);
  return sum;
}

TEST_CASE("ClassColoursAreApart") {
  for (int64_t label = 0; label < 91; ++label) {
    for (int64_t next = 1; next <= 4; ++next) {
      CHECK(distance(class_colour(label), class_colour(label + next)) >= 60);
    }
    for (int64_t other = 0; other < label; ++other) {
      CHECK(class_colour(label) != class_colour(other));
    }
  }
}

TEST_CASE("ColoursAreVividAndStable") {
  for (int64_t label = 0; label < 91; ++label) {
    const RgbColour colour = class_colour(label);
    CHECK(distance(colour, {0, 0, 0}) > 200);
    CHECK(distance(colour, {255, 255, 255}) > 100);
    CHECK(colour == class_colour(label));
  }
  class_colour(-7);  // any number is a class
  class_colour(INT64_MAX);
  class_colour(INT64_MIN);
}

TEST_CASE("TextContrastsWithItsGround") {
  CHECK(readable_on({255, 255, 255}) == RgbColour{0, 0, 0});
  CHECK(readable_on({255, 255, 0}) == RgbColour{0, 0, 0});
  CHECK(readable_on({0, 0, 0}) == RgbColour{255, 255, 255});
  CHECK(readable_on({40, 40, 160}) == RgbColour{255, 255, 255});
}

}  // namespace
}  // namespace mrcnn
