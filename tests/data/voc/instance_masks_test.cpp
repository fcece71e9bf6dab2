#include "data/voc/instance_masks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/random.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

TEST_CASE("Each number is a mask, ascending, without background and void") {
  const std::vector<uint8_t> pixels = {255, 9, 9, 0,  //
                                       255, 3, 9, 254};
  const std::vector<Rle> masks = voc_instance_masks(Tensor::from(pixels, Shape{2, 4}));
  REQUIRE(masks.size() == 3);
  CHECK(masks[0] == Rle{2, 4, {3, 1, 4}});
  CHECK(masks[1] == Rle{2, 4, {2, 1, 1, 2, 2}});
  CHECK(masks[2] == Rle{2, 4, {7, 1}});
  CHECK(voc_instance_masks(Tensor::zeros(Shape{3, 3}, DType::kU8)).empty());
  const std::vector<uint8_t> full(6, 1);
  CHECK(voc_instance_masks(Tensor::from(full, Shape{2, 3})) == std::vector<Rle>{{2, 3, {0, 6}}});
}

TEST_CASE("Equals the masks taken one by one") {
  const RandomStream random{.seed = 5};
  std::vector<uint8_t> pixels(33 * 21);
  for (size_t i = 0; i < pixels.size(); ++i) {
    const uint32_t word = random.word(i);
    pixels[i] = static_cast<uint8_t>(word % 4 == 0 ? word >> 8 : i % 33 / 8);
  }
  const std::vector<Rle> masks = voc_instance_masks(Tensor::from(pixels, Shape{33, 21}));
  std::set<uint8_t> numbers(pixels.begin(), pixels.end());
  numbers.erase(0);
  numbers.erase(255);
  REQUIRE(masks.size() == numbers.size());
  size_t next = 0;
  for (const uint8_t number : numbers) {
    std::vector<uint8_t> bitmap(pixels.size());
    std::transform(pixels.begin(), pixels.end(), bitmap.begin(),
                   [number](uint8_t pixel) { return static_cast<uint8_t>(pixel == number); });
    CHECK(masks[next++] == rle_from_bitmap(bitmap, 33, 21));
  }
}

}  // namespace
}  // namespace mrcnn
