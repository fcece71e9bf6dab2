// The box, area and mask of an annotation against each other and the image.
//
// Conventions differ, so a stated number passes if it is near to any of them: for polygons, the sum
// of their areas and the extent of their corners (COCO's own), or the pixels they cover; for run
// lengths, the pixels. "Near" is, for an area, kAreaPart of it or kAreaPerOutline of the mask's
// outline, because tools trace outlines through the middle of pixels or round them; for a side of a
// box, kBoxPixels or kBoxPart of the box. COCO states for a crowd the sum of parts that overlap, so
// its area may be half or twice the mask's.
#pragma once

#include <cstdint>

#include "data/doctor/segmentation.h"

namespace mrcnn {

inline constexpr double kAreaPixels = 2;
inline constexpr double kAreaPart = 0.05;
inline constexpr double kAreaPerOutline = 0.6;
inline constexpr double kCrowdFactor = 2;
inline constexpr double kBoxPixels = 2;
inline constexpr double kBoxPart = 0.03;

struct CheckedBox {
  std::array<double, 4> box{};  // x, y, width, height as a cleaned copy states them
  bool usable = false;
};

// Reports what is wrong with "bbox", "area" and the mask's extent; the repair gets values that
// agree, or drops the element where none can be had.
CheckedBox check_box_and_area(Element& element, const StatedMask& mask, int64_t height,
                              int64_t width, bool crowd);

}  // namespace mrcnn
