// A binary image as run lengths in column-major order (position = x * height + y), alternating
// background and foreground and starting with background (COCO's uncompressed RLE).
// Canonical: no run but the first is 0, and the runs add up to height * width.
#pragma once

#include <cstdint>
#include <vector>

namespace mrcnn {

struct Rle {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint32_t> counts;

  friend bool operator==(const Rle&, const Rle&) = default;
};

}  // namespace mrcnn
