#include "tools/draw/thumbnail.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/error.h"

namespace mrcnn {
namespace {

// Each pixel's red is its column, green its row.
Tensor coordinates(int64_t height, int64_t width) {
  Tensor image = Tensor::empty({height, width, 3}, DType::kU8);
  uint8_t* out = image.data<uint8_t>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      *out++ = static_cast<uint8_t>(x);
      *out++ = static_cast<uint8_t>(y);
      *out++ = 7;
    }
  }
  return image;
}

TEST_CASE("Pixels are means of what they cover") {
  const Tensor small = thumbnail(coordinates(8, 20), {2, 4, 6, 12}, 4);
  REQUIRE(small.shape() == Shape{2, 4, 3});
  const uint8_t* pixel = small.data<const uint8_t>();
  CHECK(pixel[0] == 5);  // columns 4 and 5
  CHECK(pixel[1] == 3);  // rows 2 and 3
  CHECK(pixel[2] == 7);
  CHECK(pixel[3 * 7] == 11);  // columns 10 and 11
  CHECK(pixel[3 * 7 + 1] == 5);
}

TEST_CASE("Nothing is enlarged and no side vanishes") {
  const Tensor image = coordinates(3, 5);
  const Tensor same = thumbnail(image, {0, 0, 3, 5}, 99);
  REQUIRE(same.shape() == image.shape());
  CHECK(std::equal(same.data<const uint8_t>(), same.data<const uint8_t>() + 45,
                   image.data<const uint8_t>()));
  CHECK(thumbnail(coordinates(2, 100), {0, 0, 2, 100}, 10).shape() == Shape{1, 10, 3});
  CHECK(thumbnail(coordinates(7, 5), {0, 0, 7, 5}, 3).shape() == Shape{3, 2, 3});
}

TEST_CASE("Rejects parts that are not of the image") {
  const Tensor image = coordinates(3, 5);
  CHECK_THROWS_AS(thumbnail(image, {0, 0, 4, 5}, 9), ShapeError);
  CHECK_THROWS_AS(thumbnail(image, {0, -1, 3, 5}, 9), ShapeError);
  CHECK_THROWS_AS(thumbnail(image, {1, 2, 1, 4}, 9), ShapeError);
}

}  // namespace
}  // namespace mrcnn
