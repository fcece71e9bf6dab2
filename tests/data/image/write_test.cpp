#include "data/image/write.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/image/image.h"

namespace mrcnn {
namespace {

Tensor noise(int64_t height, int64_t width) {
  const RandomStream random{.seed = 41};
  Tensor image = Tensor::empty(Shape{height, width, 3}, DType::kU8);
  uint64_t index = 0;
  for (uint8_t& value : image.span<uint8_t>()) {
    value = static_cast<uint8_t>(random.word(index++));
  }
  return image;
}

bool same_pixels(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  const auto left = a.span<uint8_t>();
  const auto right = b.span<uint8_t>();
  return std::equal(left.begin(), left.end(), right.begin());
}

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

TEST_CASE("RejectsPicturesThatDoNotFit") {
  const std::vector<uint8_t> pixels(6);
  CHECK_THROWS_WITH_AS(
      encode_png({.height = 2, .width = 3, .format = PngFormat::kRgb8, .pixels = bytes_of(pixels)}),
      doctest::Contains("6 bytes given, 18 needed"), ShapeError);
  CHECK_THROWS_WITH_AS(encode_png({.height = 0, .width = 3}), doctest::Contains("empty"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      encode_png(
          {.height = 2, .width = 3, .format = PngFormat::kPalette8, .pixels = bytes_of(pixels)}),
      doctest::Contains("palette of 0 colours"), ShapeError);
  CHECK_THROWS_AS(encode_jpeg(Tensor::zeros(Shape{2, 3}, DType::kU8)), ShapeError);
  CHECK_THROWS_AS(encode_jpeg(Tensor::zeros(Shape{2, 70000, 3}, DType::kU8)), ShapeError);
  CHECK_THROWS_AS(encode_jpeg(noise(2, 2), 0), ShapeError);
  CHECK_THROWS_WITH_AS(write_image("overlay.gif", noise(2, 2)), doctest::Contains(".png, .jpg"),
                       UsageError);
  CHECK_THROWS_AS(write_image("/nowhere/at/all/overlay.png", noise(2, 2)), FileError);
}

TEST_CASE("PngRoundTrips") {
  const Tensor image = noise(31, 17);
  const std::vector<std::byte> rgb = encode_png(
      {.height = 31, .width = 17, .pixels = {image.raw(), static_cast<size_t>(image.bytes())}});
  CHECK(same_pixels(decode_image(rgb, "rgb").pixels, image));

  const std::vector<uint8_t> gray{0, 1, 127, 254, 255, 3};
  const Image gray8 = decode_image(
      encode_png({.height = 2, .width = 3, .format = PngFormat::kGray8, .pixels = bytes_of(gray)}),
      "gray");
  const std::vector<uint16_t> deep{0x0000, 0x01FF, 0x7F00, 0xFE10, 0xFFFF, 0x0301};
  const Image gray16 = decode_image(
      encode_png({.height = 2, .width = 3, .format = PngFormat::kGray16, .pixels = bytes_of(deep)}),
      "deep");
  const std::vector<uint8_t> indices{0, 1, 1, 0, 1, 0};
  const std::vector<RgbColour> palette{{1, 2, 3}, {200, 100, 50}};
  const Image indexed = decode_image(encode_png({.height = 2,
                                                 .width = 3,
                                                 .format = PngFormat::kPalette8,
                                                 .pixels = bytes_of(indices),
                                                 .palette = palette}),
                                     "palette");
  for (size_t i = 0; i < 6; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      CHECK(gray8.pixels.span<uint8_t>()[3 * i + c] == gray[i]);
      CHECK(gray16.pixels.span<uint8_t>()[3 * i + c] == deep[i] >> 8);
      CHECK(indexed.pixels.span<uint8_t>()[3 * i + c] == palette[indices[i]][c]);
    }
  }
}

TEST_CASE("JpegStaysCloseAndKeepsChroma") {
  Tensor image = Tensor::empty(Shape{40, 56, 3}, DType::kU8);
  uint8_t* value = image.data<uint8_t>();
  for (int64_t i = 0; i < image.numel(); ++i) {
    const int64_t x = i / 3 % 56;
    value[i] = static_cast<uint8_t>(i % 3 == 0 ? 4 * x : (i % 3 == 1 ? 255 - 3 * x : 90));
  }
  const Image back = decode_image(encode_jpeg(image), "jpeg");
  REQUIRE(back.pixels.shape() == image.shape());
  int largest = 0;
  for (int64_t i = 0; i < image.numel(); ++i) {
    largest = std::max(largest, std::abs(back.pixels.data<uint8_t>()[i] - value[i]));
  }
  CHECK(largest <= 8);  // quality 92 quantises the lowest frequencies by 2 or 3
}

TEST_CASE("FilesReplaceOthersByExtension") {
  const auto dir = std::filesystem::temp_directory_path() / "mrcnn_write_test";
  std::filesystem::create_directories(dir);
  const Tensor image = noise(5, 4);
  const std::string png = (dir / "a.PNG").string();
  write_image(png, noise(9, 9));
  write_image(png, image);
  CHECK(same_pixels(load_image(png).pixels, image));
  for (const char* name : {"a.jpg", "a.jpeg", "a.JPG"}) {
    write_image((dir / name).string(), image);
    CHECK(load_image((dir / name).string()).pixels.shape() == image.shape());
  }
  CHECK(std::distance(std::filesystem::directory_iterator(dir), {}) == 4);  // no temporary is left
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace mrcnn
