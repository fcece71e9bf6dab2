#include "data/image/png_chunks.h"

#include <algorithm>
#include <cstring>

namespace mrcnn {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverhead = 12;  // length, type, checksum

int64_t u32_at(std::span<const std::byte> bytes, size_t i) {
  int64_t value = 0;
  for (const std::byte byte : bytes.subspan(i, 4)) {
    value = value << 8 | std::to_integer<int64_t>(byte);
  }
  return value;
}

int64_t channels_of(int colour_type) {
  switch (colour_type) {
    case 2:
      return 3;  // RGB
    case 4:
      return 2;  // gray and alpha
    case 6:
      return 4;  // RGB and alpha
    default:
      return 1;  // gray, palette
  }
}

}  // namespace

PngChunks walk_png_chunks(std::span<const std::byte> bytes) {
  PngChunks result;
  size_t position = std::min(kSignatureBytes, bytes.size());
  while (bytes.size() - position >= kChunkOverhead) {
    const auto length = static_cast<size_t>(u32_at(bytes, position));
    if (length > bytes.size() - position - kChunkOverhead) {
      // A file that was cut off inside its picture still holds a part of it.
      if (std::memcmp(bytes.data() + position + 4, "IDAT", 4) == 0) {
        result.data_bytes += static_cast<int64_t>(bytes.size() - position - 8);
      }
      return result;
    }
    const std::byte* type = bytes.data() + position + 4;
    const auto body = bytes.subspan(position + 8, length);
    if (position == kSignatureBytes) {
      if (std::memcmp(type, "IHDR", 4) != 0 || length != 13) return result;
      result.width = u32_at(body, 0);
      result.height = u32_at(body, 4);
      result.row_bits = result.width * std::to_integer<int64_t>(body[8]) *
                        channels_of(std::to_integer<int>(body[9]));
    } else if (std::memcmp(type, "IDAT", 4) == 0) {
      result.data_bytes += static_cast<int64_t>(length);
    } else if (std::memcmp(type, "eXIf", 4) == 0 && result.exif.empty()) {
      result.exif = body;
    } else if (std::memcmp(type, "IEND", 4) == 0) {
      result.has_end = true;
      return result;
    }
    position += length + kChunkOverhead;
  }
  return result;
}

}  // namespace mrcnn
