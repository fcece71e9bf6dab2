#include "data/image/exif.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/error.h"

namespace mrcnn {
namespace {

// Reads integers of either byte order; the caller checks `fits` first.
class TiffView {
 public:
  TiffView(std::span<const std::byte> bytes, bool big_endian)
      : bytes_(bytes), big_endian_(big_endian) {}

  bool fits(uint64_t offset, uint64_t count) const {
    return offset <= bytes_.size() && count <= bytes_.size() - offset;
  }
  uint32_t u16(uint64_t offset) const {
    const uint32_t first = at(offset);
    const uint32_t second = at(offset + 1);
    return big_endian_ ? first << 8 | second : second << 8 | first;
  }
  uint32_t u32(uint64_t offset) const {
    const uint32_t first = u16(offset);
    const uint32_t second = u16(offset + 2);
    return big_endian_ ? first << 16 | second : second << 16 | first;
  }

 private:
  uint32_t at(uint64_t offset) const { return std::to_integer<uint32_t>(bytes_[offset]); }

  std::span<const std::byte> bytes_;
  bool big_endian_;
};

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kTypeShort = 3;
constexpr uint64_t kEntryBytes = 12;

}  // namespace

int exif_orientation(std::span<const std::byte> tiff, std::vector<std::string>& warnings) {
  const auto ignored = [&warnings](const std::string& why) {
    warnings.push_back("EXIF block ignored: " + why);
    return 1;
  };
  if (tiff.size() < 8) return ignored(fmt::format("{} bytes are too few", tiff.size()));
  const bool little = std::memcmp(tiff.data(), "II", 2) == 0;
  const bool big = std::memcmp(tiff.data(), "MM", 2) == 0;
  const TiffView view(tiff, big);
  if ((!little && !big) || view.u16(2) != 42) return ignored("no TIFF header");
  const uint64_t ifd = view.u32(4);
  if (!view.fits(ifd, 2)) return ignored(fmt::format("directory at {} lies outside", ifd));
  const uint64_t num_entries = view.u16(ifd);
  for (uint64_t i = 0; i < num_entries; ++i) {
    const uint64_t entry = ifd + 2 + i * kEntryBytes;
    if (!view.fits(entry, kEntryBytes)) {
      return ignored(fmt::format("entry {} of {} lies outside", i + 1, num_entries));
    }
    if (view.u16(entry) != kOrientationTag) continue;
    const uint32_t type = view.u16(entry + 2);
    const uint32_t count = view.u32(entry + 4);
    if (type != kTypeShort || count != 1) {
      return ignored(fmt::format("orientation has type {} and count {}", type, count));
    }
    const uint32_t value = view.u16(entry + 8);
    if (value < 1 || value > 8) return ignored(fmt::format("orientation {} is not 1..8", value));
    return static_cast<int>(value);
  }
  return 1;
}

Tensor apply_orientation(const Tensor& pixels, int orientation) {
  if (pixels.rank() != 3 || pixels.size(2) != 3 || orientation < 1 || orientation > 8) {
    throw ShapeError(fmt::format("[apply_orientation] wants [H,W,3] and 1..8, not {} and {}",
                                 pixels.describe(), orientation));
  }
  if (orientation == 1) return pixels;
  const int64_t height = pixels.size(0);
  const int64_t width = pixels.size(1);
  const bool swap = orientation >= 5;
  const int64_t out_height = swap ? width : height;
  const int64_t out_width = swap ? height : width;
  // Output (y, x) reads the stored pixel at start + y * row_step + x * column_step.
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t start = (from_bottom ? (height - 1) * width : 0) + (from_right ? width - 1 : 0);
  const int64_t along_row = from_right ? -1 : 1;
  const int64_t along_column = from_bottom ? -width : width;
  const int64_t row_step = swap ? along_row : along_column;
  const int64_t column_step = swap ? along_column : along_row;

  Tensor result = Tensor::empty(Shape{out_height, out_width, 3}, DType::kU8);
  const uint8_t* source = pixels.data<uint8_t>();
  uint8_t* target = result.data<uint8_t>();
  constexpr int64_t kTile = 32;  // keeps the rows read by a transposition in the first cache
  for (int64_t tile_y = 0; tile_y < out_height; tile_y += kTile) {
    for (int64_t tile_x = 0; tile_x < out_width; tile_x += kTile) {
      const int64_t end_y = std::min(tile_y + kTile, out_height);
      const int64_t end_x = std::min(tile_x + kTile, out_width);
      for (int64_t y = tile_y; y < end_y; ++y) {
        for (int64_t x = tile_x; x < end_x; ++x) {
          const int64_t from = start + y * row_step + x * column_step;
          std::copy_n(source + 3 * from, 3, target + 3 * (y * out_width + x));
        }
      }
    }
  }
  return result;
}

}  // namespace mrcnn
