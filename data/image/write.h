// Pictures out: PNG and JPEG files that appear complete or not at all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

enum class PngFormat {
  kGray8,     // one byte a pixel
  kGray16,    // one uint16_t a pixel, in the machine's byte order
  kRgb8,      // three bytes a pixel
  kPalette8,  // one byte a pixel, an index into the palette
};

using RgbColour = std::array<uint8_t, 3>;

struct PngPicture {
  int64_t height = 0;
  int64_t width = 0;
  PngFormat format = PngFormat::kRgb8;
  std::span<const std::byte> pixels{};   // row-major, exactly height * width pixels
  std::span<const RgbColour> palette{};  // 1..256 entries for kPalette8, else empty
};

// Both encoders throw ShapeError when sizes and data do not fit each other.
std::vector<std::byte> encode_png(const PngPicture& picture);
// Quality 92 without chroma subsampling keeps coloured contours sharp. image [H, W, 3] u8 RGB.
std::vector<std::byte> encode_jpeg(const Tensor& image, int quality = 92);

// Write atomically; throw FileError.
void write_png(const std::string& path, const PngPicture& picture);
void write_jpeg(const std::string& path, const Tensor& image, int quality = 92);
// By the extension: .png, .jpg or .jpeg in any case; UsageError on another. image [H, W, 3] u8 RGB.
void write_image(const std::string& path, const Tensor& image);

}  // namespace mrcnn
