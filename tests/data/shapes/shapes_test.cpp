#include "data/shapes/shapes.h"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/sha256.h"
#include "data/masks/rle.h"
#include "data/shapes/figure.h"

namespace mrcnn {
namespace {

std::string hash_of(const ShapesImage& image) {
  Sha256 hash;
  hash.update(std::as_bytes(image.pixels.span<uint8_t>()));
  for (const ShapesObject& object : image.objects) {
    const std::string text = std::to_string(object.label) + " " + rle_to_string(object.mask) + "\n";
    hash.update(std::as_bytes(std::span(text)));
  }
  std::string digits;
  for (const uint8_t byte : hash.finish()) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits.substr(0, 16);
}

TEST_CASE("RejectsSizesAndCountsThatCannotBe") {
  CHECK_THROWS_WITH_AS(generate_shapes({.height = 31}, 0), doctest::Contains("not 128x31"),
                       UsageError);
  CHECK_THROWS_AS(generate_shapes({.width = 4097}, 0), UsageError);
  CHECK_THROWS_WITH_AS(generate_shapes({.min_objects = 0}, 0), doctest::Contains("0 to 6 objects"),
                       UsageError);
  CHECK_THROWS_AS(generate_shapes({.min_objects = 4, .max_objects = 3}, 0), UsageError);
  CHECK_THROWS_AS(generate_shapes({.max_objects = 33}, 0), UsageError);
  CHECK_THROWS_AS(generate_shapes({}, -1), UsageError);
  CHECK_THROWS_AS(generate_shapes({}, int64_t{1} << 32), UsageError);
}

// The pictures are part of what a result says: "trained on shapes, seed 1" must stay the same set.
// A wanted change also raises kGeneratorVersion in shapes_files.cpp.
TEST_CASE("ImagesAreAFunctionOfSeedAndIndex") {
  const std::array<std::string, 4> expected = {"77afe8ef8eab687e", "47f0a5bbb7b15bba",
                                               "12fd5a9d05df47c9", "dd05364e2ecb3427"};
  for (int64_t i = 3; i >= 0; --i) {
    CHECK(hash_of(generate_shapes({}, i)) == expected[static_cast<size_t>(i)]);
  }
  CHECK(hash_of(generate_shapes({.seed = 2}, 0)) != expected[0]);
  CHECK(hash_of(generate_shapes({.seed = uint64_t{1} << 40}, 0)) !=
        hash_of(generate_shapes({.seed = uint64_t{1} << 41}, 0)));
}

TEST_CASE("MasksAreDisjointAndOfTheImagesSize") {
  for (const ShapesParams& params : {ShapesParams{}, ShapesParams{.height = 33, .width = 190},
                                     ShapesParams{.height = 70, .width = 32, .max_objects = 32}}) {
    for (int64_t i = 0; i < 40; ++i) {
      const ShapesImage image = generate_shapes(params, i);
      REQUIRE(image.pixels.shape() == Shape{params.height, params.width, 3});
      REQUIRE(!image.objects.empty());
      REQUIRE(static_cast<int64_t>(image.objects.size()) <= params.max_objects);
      int64_t sum = 0;
      std::vector<Rle> masks;
      for (const ShapesObject& object : image.objects) {
        REQUIRE(object.mask.height == params.height);
        REQUIRE(object.mask.width == params.width);
        REQUIRE((object.label >= 1 && object.label <= 5));
        // The least figure: a ring or star of 14 pixels, at least 60 % of it.
        CHECK(rle_area(object.mask) >= 20);
        sum += rle_area(object.mask);
        masks.push_back(object.mask);
      }
      CHECK(rle_area(rle_merge(masks)) == sum);
    }
  }
}

TEST_CASE("TheSetHasEveryClassManySizesAndOverlaps") {
  std::map<int64_t, int64_t> of_class;
  std::set<size_t> objects_an_image;
  int64_t small = 0;
  int64_t large = 0;
  int64_t overlapping = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const ShapesImage image = generate_shapes({}, i);
    objects_an_image.insert(image.objects.size());
    std::vector<PixelBox> boxes;
    for (const ShapesObject& object : image.objects) {
      ++of_class[object.label];
      const PixelBox box = rle_bbox(object.mask);
      small += box.width < 26 && box.height < 26 ? 1 : 0;
      large += box.width > 50 || box.height > 50 ? 1 : 0;
      for (const PixelBox& other : boxes) {
        overlapping += box.x < other.x + other.width && other.x < box.x + box.width &&
                               box.y < other.y + other.height && other.y < box.y + box.height
                           ? 1
                           : 0;
      }
      boxes.push_back(box);
    }
  }
  REQUIRE(of_class.size() == shapes_classes().size());
  for (const auto& [label, count] : of_class) CHECK(count > 90);
  CHECK(objects_an_image == std::set<size_t>{1, 2, 3, 4, 5, 6});
  CHECK(small > 100);
  CHECK(large > 50);
  CHECK(overlapping > 100);
}

// The mean colour inside a mask differs from that around it: masks lie where the pictures show
// them.
TEST_CASE("ObjectsAreSeenWhereTheirMasksAre") {
  const ShapesParams params{.max_objects = 1};
  for (int64_t i = 0; i < 30; ++i) {
    const ShapesImage image = generate_shapes(params, i);
    REQUIRE(image.objects.size() == 1);
    std::vector<uint8_t> inside(static_cast<size_t>(params.height * params.width));
    rle_to_bitmap(image.objects[0].mask, inside);
    const auto rgb = image.pixels.span<uint8_t>();
    // Neighbours across the border of the mask, against neighbours on one side of it.
    double across = 0;
    double within = 0;
    int64_t num_across = 0;
    int64_t num_within = 0;
    for (size_t p = 0; p + 1 < inside.size(); ++p) {
      double step = 0;
      for (size_t c = 0; c < 3; ++c) step += std::abs(rgb[3 * p + c] - rgb[3 * p + 3 + c]);
      const bool border = inside[p] != inside[p + 1];
      (border ? across : within) += step;
      ++(border ? num_across : num_within);
    }
    CHECK(across / static_cast<double>(num_across) > 2 * within / static_cast<double>(num_within));
  }
}

TEST_CASE("FiguresCoverPixelsByTheirCentres") {
  using namespace shapes;
  // A circle of radius 2 about the corner between four pixels: 4x4 without its corners.
  Figure circle{FigureKind::kCircle, {4 * 256, 4 * 256}, 2 * 256, 0, {}};
  CHECK(cover(circle, 8, 8).area == 12);
  CHECK(cover(circle, 8, 8).pixels.size() == 12);
  CHECK(cover(circle, 8, 8).pixels.front() == 2 * 8 + 3);
  circle.hole_radius = 256;
  CHECK(cover(circle, 8, 8).area == 8);
  CHECK(cover(circle, 4, 8).pixels.size() == 4);  // the upper half is inside the image

  const Figure square{FigureKind::kRectangle,
                      {0, 0},
                      3 * 256,
                      0,
                      {{-512, -512}, {512, -512}, {512, 512}, {-512, 512}}};
  CHECK(cover(square, 8, 8).area == 16);
  CHECK(cover(square, 8, 8).pixels == std::vector<int64_t>{0, 1, 8, 9});
}

}  // namespace
}  // namespace mrcnn
