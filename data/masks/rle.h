// Run-length masks: COCO's compressed strings, bitmaps, area, box and union.
// Every function returns canonical runs (core/rle.h) and takes any runs that add up to the size.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/limits.h"
#include "core/rle.h"

namespace mrcnn {

inline constexpr int64_t kMaxRlePixels = kLimits.annotation.mask_pixels;

// Pixels covered by a mask: columns [x, x + width), rows [y, y + height). All 0 if it is empty.
struct PixelBox {
  int64_t x = 0;
  int64_t y = 0;
  int64_t width = 0;
  int64_t height = 0;

  friend bool operator==(const PixelBox&, const PixelBox&) = default;
};

// COCO's compressed counts: each run, from the fourth on minus the run two before it, in groups of
// five bits, low group first, as characters '0'..'o'. Equals pycocotools byte by byte.
// Source: pycocotools common/maskApi.c rleToString and rleFrString.
std::string rle_to_string(const Rle& rle);

// The inverse. Throws Error with ExitCode::kData on a character outside '0'..'o', a number of more
// than seven groups or without its last one, a negative run, a size below 1x1 or past
// kMaxRlePixels, and runs that do not add up to it. Runs of 0 are merged away.
Rle rle_from_string(std::string_view text, int64_t height, int64_t width);

// The runs of such a string as they are written, whatever they are and add up to. Throws Error with
// ExitCode::kData where the characters are not numbers.
std::vector<int64_t> rle_string_runs(std::string_view text);

// Runs as COCO's uncompressed form lists them. Throws like rle_from_string.
Rle rle_from_counts(std::span<const int64_t> counts, int64_t height, int64_t width);

// bitmap [height, width] row-major, foreground where not 0.
Rle rle_from_bitmap(std::span<const uint8_t> bitmap, int64_t height, int64_t width);
// Writes 0 or 1 to bitmap [height, width] row-major. Throws ShapeError if the sizes differ.
void rle_to_bitmap(const Rle& rle, std::span<uint8_t> bitmap);

int64_t rle_area(const Rle& rle);
PixelBox rle_bbox(const Rle& rle);

// Union of masks of one size; ShapeError if there is none or sizes differ.
Rle rle_merge(std::span<const Rle> rles);

}  // namespace mrcnn
