#include "tools/infer/instance_pictures.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;
using test::TemporaryDirectory;

namespace {

// A rectangle in a picture of 4 rows and 6 columns.
Rle rectangle(size_t x, size_t y, size_t width, size_t height) {
  std::vector<uint8_t> bitmap(24, 0);
  for (size_t row = y; row < y + height; ++row) {
    for (size_t column = x; column < x + width; ++column) bitmap[row * 6 + column] = 1;
  }
  return rle_from_bitmap(bitmap, 4, 6);
}

ImageResult result(const std::vector<Rle>& masks) {
  return {.picture_name = "sub/dir/photo",
          .image = Tensor::zeros({4, 6, 3}, DType::kU8),
          .masks = masks};
}

}  // namespace

TEST_CASE("RejectsMasksOfAnotherSize") {
  const std::vector<Rle> masks = {rectangle(0, 0, 1, 1)};
  CHECK_THROWS_WITH_AS(instance_map(masks, 4, 5),
                       "[instance_map] a mask of 4x6 in a picture of 4x5", ShapeError);
  CHECK_THROWS_AS(instance_map(std::vector<Rle>(65536), 0, 0), ShapeError);
}

TEST_CASE("TheEarlierMaskCoversTheLaterOne") {
  const std::vector<Rle> masks = {rectangle(1, 1, 3, 2), rectangle(2, 0, 4, 2),
                                  Rle{.height = 4, .width = 6, .counts = {24}}};
  CHECK(instance_map(masks, 4, 6) == std::vector<uint16_t>{0, 0, 2, 2, 2, 2,  //
                                                           0, 1, 1, 1, 2, 2,  //
                                                           0, 1, 1, 1, 0, 0,  //
                                                           0, 0, 0, 0, 0, 0});
  CHECK(instance_map({}, 1, 2) == std::vector<uint16_t>{0, 0});
}

TEST_CASE("WritesAPngInTheColoursOfThePascalVocPalette") {
  const TemporaryDirectory folder;
  const std::vector<Rle> masks = {rectangle(0, 0, 2, 1), rectangle(3, 3, 1, 1)};
  InstancePictures(folder / "ids").consume(result(masks));
  const Image image = load_image(folder / "ids/sub/dir/photo.png");
  REQUIRE(image.pixels.shape() == Shape{4, 6, 3});
  const uint8_t* pixels = image.pixels.data<uint8_t>();
  const auto colour = [pixels](size_t x, size_t y) {
    const uint8_t* pixel = pixels + 3 * (y * 6 + x);
    return std::vector<int>{pixel[0], pixel[1], pixel[2]};
  };
  CHECK(colour(1, 0) == std::vector<int>{128, 0, 0});
  CHECK(colour(3, 3) == std::vector<int>{0, 128, 0});
  CHECK(colour(5, 3) == std::vector<int>{0, 0, 0});
}

TEST_CASE("UsesSixteenBitsForMoreThan255Objects") {
  const TemporaryDirectory folder;
  std::vector<Rle> masks(300, Rle{.height = 4, .width = 6, .counts = {24}});
  masks[299] = rectangle(0, 0, 1, 1);
  InstancePictures(folder / "ids").consume(result(masks));
  const Image image = load_image(folder / "ids/sub/dir/photo.png");
  CHECK(image.pixels.data<uint8_t>()[0] == 300 / 256);  // the decoder keeps the upper byte
  const std::string file = test::read_text(folder / "ids/sub/dir/photo.png");
  CHECK(file[24] == 16);  // bit depth in the PNG header
}
