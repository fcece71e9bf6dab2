#include "kernels/image/resized_size.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects empty images and sizes that are not positive") {
  CHECK_THROWS_WITH_AS(resized_size(0, 5, {}), doctest::Contains("0x5"), ShapeError);
  CHECK_THROWS_AS(resized_size(5, -1, {}), ShapeError);
  CHECK_THROWS_WITH_AS(resized_size(5, 5, {.min_size = 0}), doctest::Contains("min_size 0"),
                       UsageError);
  CHECK_THROWS_AS(resized_size(5, 5, {.max_size = -3}), UsageError);
}

TEST_CASE("The original system's sizes") {
  const ResizeParams original{};
  CHECK(resized_size(427, 640, original) == ImageSize{800, 1199});
  CHECK(resized_size(480, 640, original) == ImageSize{800, 1067});
  CHECK(resized_size(640, 480, original) == ImageSize{1067, 800});
  CHECK(resized_size(426, 640, original) == ImageSize{800, 1202});
  CHECK(resized_size(375, 500, original) == ImageSize{800, 1067});
  CHECK(resized_size(333, 500, original) == ImageSize{800, 1201});
  CHECK(resized_size(612, 612, original) == ImageSize{800, 800});
  CHECK(resized_size(100, 1000, original) == ImageSize{133, 1333});
  CHECK(resized_size(1080, 1920, original) == ImageSize{750, 1333});
  CHECK(resized_size(64, 64, original) == ImageSize{800, 800});
}

TEST_CASE("The float32 rule loses a pixel where the double rule does not") {
  const ResizeParams single{.rule = SizeRule::kTorchvisionFloat32};
  const ResizeParams exact{.rule = SizeRule::kTorchvisionDouble};
  CHECK(resized_size(427, 640, single) == ImageSize{799, 1199});
  CHECK(resized_size(427, 640, exact) == ImageSize{800, 1199});
  CHECK(resized_size(500, 375, single) == ImageSize{1066, 799});
  CHECK(resized_size(333, 500, single) == ImageSize{799, 1201});
  CHECK(resized_size(480, 640, single) == ImageSize{800, 1066});
  CHECK(resized_size(480, 640, exact) == ImageSize{800, 1066});
}

TEST_CASE("Matches golden: each rule on a table of sizes") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/sizes.txt");
  const Tensor table = golden.at("sizes");
  const SizeRule rules[] = {SizeRule::kOriginalRound, SizeRule::kTorchvisionDouble,
                            SizeRule::kTorchvisionFloat32};
  for (int64_t i = 0; i < table.size(0); ++i) {
    const int64_t* row = table.data<const int64_t>() + i * 8;
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    for (int rule = 0; rule < 3; ++rule) {
      const ImageSize size = resized_size(row[0], row[1], {.rule = rules[rule]});
      CHECK(size == ImageSize{row[2 + 2 * rule], row[3 + 2 * rule]});
    }
  }
}

TEST_CASE("Edges: a side never vanishes") {
  CHECK(resized_size(1, 10000, {}) == ImageSize{1, 1333});
  CHECK(resized_size(10000, 1, {.rule = SizeRule::kTorchvisionDouble}).width == 1);
}

}  // namespace
}  // namespace mrcnn
