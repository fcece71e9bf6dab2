#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/image/image.h"
#include "data/image/write.h"

namespace mrcnn {
namespace {

std::vector<std::byte> encode(PngFormat format, const std::vector<uint8_t>& pixels, int64_t width,
                              std::span<const RgbColour> palette = {}) {
  const int64_t channels = format == PngFormat::kRgb8 ? 3 : format == PngFormat::kGray16 ? 2 : 1;
  return encode_png({.height = static_cast<int64_t>(pixels.size()) / channels / width,
                     .width = width,
                     .format = format,
                     .pixels = std::as_bytes(std::span(pixels)),
                     .palette = palette});
}

std::vector<uint8_t> values_of(const Tensor& tensor) {
  const auto span = tensor.span<uint8_t>();
  return {span.begin(), span.end()};
}

TEST_CASE("Indices are the stored numbers, not the colours") {
  std::array<RgbColour, 256> palette{};
  palette.fill({9, 9, 9});  // equal colours: only the numbers tell the pixels apart
  const std::vector<uint8_t> pixels = {0, 1, 2, 255, 254, 7};
  const Tensor indices =
      decode_png_indices(encode(PngFormat::kPalette8, pixels, 3, palette), "mask");
  CHECK(indices.shape() == Shape{2, 3});
  CHECK(values_of(indices) == pixels);
  CHECK(values_of(decode_png_indices(encode(PngFormat::kGray8, pixels, 2), "mask")) == pixels);
}

// 1, 2 and 4 bits a pixel, which some programs choose for few objects.
TEST_CASE("Packed pixels are unpacked without scaling") {
  // A 5x2 picture of 2 bits a pixel: rows 0 1 2 3 0 and 3 3 0 0 1, stored without compression.
  constexpr unsigned char kPng[] = {
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
      0x44, 0x52, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x02, 0x02, 0x03, 0x00, 0x00,
      0x00, 0xed, 0x04, 0xfe, 0xce, 0x00, 0x00, 0x00, 0x0c, 0x50, 0x4c, 0x54, 0x45, 0x09,
      0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0x09, 0xf9, 0xb4, 0xb4,
      0xba, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0x01, 0x01, 0x06, 0x00,
      0xf9, 0xff, 0x00, 0x1b, 0x00, 0x00, 0xf0, 0x40, 0x02, 0xad, 0x01, 0x4c, 0xa1, 0x72,
      0xbe, 0x60, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
  const Tensor indices =
      decode_png_indices(std::as_bytes(std::span<const unsigned char>(kPng)), "mask");
  CHECK(values_of(indices) == std::vector<uint8_t>{0, 1, 2, 3, 0, 3, 3, 0, 0, 1});
}

TEST_CASE("Rejects pictures that hold no numbers") {
  const std::vector<uint8_t> pixels(12, 1);
  CHECK_THROWS_WITH_AS(decode_png_indices(encode(PngFormat::kRgb8, pixels, 2), "mask"),
                       doctest::Contains("mask: not a PNG of indices: its pixels are colours"), FileError);
  CHECK_THROWS_WITH_AS(decode_png_indices(encode(PngFormat::kGray16, pixels, 2), "mask"),
                       doctest::Contains("16 bits"), FileError);
  const Tensor photo = Tensor::zeros(Shape{2, 2, 3}, DType::kU8);
  CHECK_THROWS_WITH_AS(decode_png_indices(encode_jpeg(photo), "mask"),
                       doctest::Contains("not a PNG image; the file is a JPEG image"), FileError);
  CHECK_THROWS_WITH_AS(decode_png_indices({}, "mask"), doctest::Contains("empty"), FileError);
  CHECK_THROWS_AS(load_png_indices("/nowhere/mask.png"), FileError);
}

TEST_CASE("Rejects damaged and oversized pictures") {
  const std::vector<uint8_t> pixels(64 * 64, 3);
  const std::vector<std::byte> whole = encode(PngFormat::kGray8, pixels, 64);
  for (size_t length = 8; length < whole.size(); ++length) {
    CHECK_THROWS_AS(decode_png_indices(std::span(whole).first(length), "mask"), FileError);
  }
  std::vector<std::byte> broken = whole;
  broken[whole.size() / 2] ^= std::byte{0x10};
  CHECK_THROWS_AS(decode_png_indices(broken, "mask"), FileError);
  CHECK_THROWS_WITH_AS(decode_png_indices(whole, "mask", {.max_pixels = 64 * 63}),
                       doctest::Contains("more than the limit of 4032 pixels"), FileError);
  CHECK_THROWS_WITH_AS(decode_png_indices(whole, "mask", {.max_file_bytes = 20}),
                       doctest::Contains("more than the limit of 20"), FileError);
}

}  // namespace
}  // namespace mrcnn
