#include "data/image/jpeg_markers.h"

#include <cstring>

namespace mrcnn {
namespace {

constexpr int kStartOfScan = 0xDA;
constexpr int kEndOfImage = 0xD9;
constexpr int kApp1 = 0xE1;

uint32_t byte_at(std::span<const std::byte> bytes, size_t i) {
  return std::to_integer<uint32_t>(bytes[i]);
}

uint32_t u16_at(std::span<const std::byte> bytes, size_t i) {
  return byte_at(bytes, i) << 8 | byte_at(bytes, i + 1);
}

// TEM, restart markers and start-of-image carry no length.
bool stands_alone(uint32_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

// C4 defines Huffman tables, C8 is reserved, CC sets arithmetic conditioning.
bool is_frame(uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

void read_segment(uint32_t marker, std::span<const std::byte> body, JpegMarkers& result) {
  if (is_frame(marker) && result.frame_marker == 0 && body.size() >= 6) {
    result.frame_marker = static_cast<int>(marker);
    result.precision = static_cast<int>(byte_at(body, 0));
    result.height = u16_at(body, 1);
    result.width = u16_at(body, 3);
  } else if (marker == kStartOfScan) {
    ++result.num_scans;
  } else if (marker == kApp1 && result.exif.empty() && body.size() > 6 &&
             std::memcmp(body.data(), "Exif\0\0", 6) == 0) {
    result.exif = body.subspan(6);
  }
}

}  // namespace

JpegMarkers walk_jpeg_markers(std::span<const std::byte> bytes) {
  JpegMarkers result;
  size_t position = 0;
  while (position < bytes.size()) {
    // Also skips the coded data of a scan, where FF is followed by 00 or a restart marker.
    const void* found = std::memchr(bytes.data() + position, 0xFF, bytes.size() - position);
    if (found == nullptr) return result;
    position = static_cast<size_t>(static_cast<const std::byte*>(found) - bytes.data()) + 1;
    if (position >= bytes.size()) return result;
    const uint32_t marker = byte_at(bytes, position);
    if (marker == 0xFF) continue;  // fill byte: the next FF may begin the marker
    ++position;
    if (marker == 0x00 || stands_alone(marker)) continue;
    if (marker == kEndOfImage) result.has_end = true;
    if (marker == kEndOfImage || bytes.size() - position < 2) return result;
    const size_t length = u16_at(bytes, position);  // counts its own two bytes
    if (length < 2 || length > bytes.size() - position) return result;
    read_segment(marker, bytes.subspan(position + 2, length - 2), result);
    position += length;
  }
  return result;
}

}  // namespace mrcnn
