#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/io/sha256.h"
#include "data/image/image.h"

namespace mrcnn {
namespace {

const std::string kGoldenDir = MRCNN_TEST_DATA "/golden/images/";

struct Expected {
  std::string file;
  int64_t height = 0;
  int64_t width = 0;
  std::string stored;   // SHA-256 of the RGB bytes as stored
  std::string upright;  // and with the orientation applied
};

std::vector<Expected> read_expected() {
  std::ifstream list(kGoldenDir + "expected.txt");
  std::vector<Expected> all;
  std::string line;
  while (std::getline(list, line)) {
    if (line.starts_with("#")) continue;
    std::istringstream fields(line);
    Expected one;
    fields >> one.file >> one.height >> one.width >> one.stored >> one.upright;
    REQUIRE(fields);
    all.push_back(one);
  }
  return all;
}

std::string hash_pixels(const Image& image) {
  return sha256_hex({image.pixels.raw(), static_cast<size_t>(image.pixels.bytes())});
}

TEST_CASE("MatchesGolden: every file decodes to Pillow's bytes") {
  const std::vector<Expected> all = read_expected();
  CHECK(all.size() == 50);
  for (const Expected& one : all) {
    CAPTURE(one.file);
    const Image stored = load_image(kGoldenDir + one.file, {.exif = ExifPolicy::kIgnore});
    CHECK(stored.pixels.shape() == Shape{one.height, one.width, 3});
    CHECK(stored.stored_height == one.height);
    CHECK(stored.stored_width == one.width);
    CHECK_FALSE(stored.orientation_applied);
    CHECK(stored.warnings.empty());
    CHECK(hash_pixels(stored) == one.stored);

    const Image upright = load_image(kGoldenDir + one.file);
    CHECK(upright.stored_height == one.height);
    CHECK(upright.orientation == stored.orientation);
    CHECK(upright.orientation_applied == (stored.orientation != 1));
    CHECK(hash_pixels(upright) == one.upright);
    if (upright.orientation >= 5) {
      CHECK(upright.pixels.shape() == Shape{one.width, one.height, 3});
    }
  }
}

TEST_CASE("MatchesGolden: the orientation is found in both formats and byte orders") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string file = "orientation" + std::to_string(orientation) + ".jpg";
    CHECK(load_image(kGoldenDir + file).orientation == orientation);
  }
  CHECK(load_image(kGoldenDir + "rgb8_exif8.png").orientation == 8);
  CHECK(load_image(kGoldenDir + "rgb8_exif6_late.png").orientation == 6);
}

}  // namespace
}  // namespace mrcnn
