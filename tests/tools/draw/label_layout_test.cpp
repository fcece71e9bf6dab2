#include "tools/draw/label_layout.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/random.h"

namespace mrcnn {
namespace {

constexpr PixelRect kPicture{0, 0, 300, 400};

bool inside(const PixelRect& rect) {
  return rect.y0 >= 0 && rect.x0 >= 0 && rect.y1 <= kPicture.y1 && rect.x1 <= kPicture.x1;
}

TEST_CASE("OneLabelStandsOnItsObject") {
  const std::vector<LabelRequest> one{{{100, 50, 200, 150}, 14, 70}};
  const auto places = place_labels(one, kPicture);
  REQUIRE(places[0]);
  CHECK(places[0]->y0 == 86);
  CHECK(places[0]->x0 == 50);
  CHECK(places[0]->height() == 14);
  CHECK(places[0]->width() == 70);
}

TEST_CASE("LabelsStayInsideThePicture") {
  const std::vector<LabelRequest> corners{{{0, 0, 40, 40}, 14, 70},
                                          {{0, 380, 40, 400}, 14, 70},
                                          {{290, 0, 300, 9}, 14, 70},
                                          {{260, 390, 300, 400}, 14, 70},
                                          {{0, 0, 300, 400}, 14, 70}};
  for (const auto& place : place_labels(corners, kPicture)) {
    REQUIRE(place);
    CHECK(inside(*place));
  }
}

TEST_CASE("LabelsKeepApart") {
  // Three objects in one place: each label finds another side.
  const std::vector<LabelRequest> same(3, {{100, 100, 160, 180}, 14, 70});
  const auto places = place_labels(same, kPicture);
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(places[i]);
    for (size_t j = 0; j < i; ++j) CHECK(places[i]->intersect(*places[j]).area() == 0);
  }
}

TEST_CASE("SmallObjectsStayVisible") {
  // A small object, without a label of its own, lies where the large one's label would stand.
  const PixelRect small{88, 52, 98, 62};
  const std::vector<LabelRequest> two{{{100, 50, 250, 250}, 14, 70}, {small, 0, 0}};
  const auto places = place_labels(two, kPicture);
  REQUIRE(places[0]);
  CHECK(places[0]->intersect(small).area() == 0);
  CHECK_FALSE(places[1]);
}

TEST_CASE("CrowdsLoseLabelsInsteadOfReadability") {
  const RandomStream random{.seed = 51};
  std::vector<LabelRequest> crowd;
  for (uint32_t i = 0; i < 300; ++i) {
    const int64_t y = random.word(2 * i) % 290;
    const int64_t x = random.word(2 * i + 1) % 390;
    crowd.push_back({{y, x, y + 8, x + 8}, 14, 70});
  }
  const auto places = place_labels(crowd, kPicture);
  REQUIRE(places[0]);
  size_t num_placed = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    ++num_placed;
    CHECK(inside(*places[i]));
    for (size_t j = 0; j < i; ++j) {
      if (places[j]) CHECK(places[i]->intersect(*places[j]).area() <= 14 * 70 * 15 / 100);
    }
  }
  CHECK(num_placed < 150);
}

TEST_CASE("Edges: nothing to place, labels larger than the picture") {
  CHECK(place_labels({}, kPicture).empty());
  const std::vector<LabelRequest> large{{{0, 0, 5, 5}, 14, 401}, {{0, 0, 5, 5}, 301, 9}};
  for (const auto& place : place_labels(large, kPicture)) CHECK_FALSE(place);
}

}  // namespace
}  // namespace mrcnn
