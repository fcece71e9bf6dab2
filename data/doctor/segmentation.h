// The mask that an annotation states, read as far as it can be, and checked on its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/rle.h"
#include "data/doctor/element.h"

namespace mrcnn {

struct StatedMask {
  enum class Form { kNone, kPolygons, kRle, kUnusable };
  Form form = Form::kNone;  // kNone: no segmentation, null or an empty list
  // Polygons that can be used, clipped to the image where they stick out of it.
  std::vector<std::vector<double>> polygons;
  std::optional<Rle> rle;  // of the image's size
};

// height, width: of the image; 0 if unknown, and then masks are not compared with it. Reports what
// is wrong; the repair gets a new "segmentation" where some polygons are kept as they are not in
// the file, and drops the element where a mask is stated that cannot be used.
StatedMask read_segmentation(Element& element, int64_t height, int64_t width);

// A corner this far outside of the image, in pixels, is no fault yet.
inline constexpr double kBorderTolerance = 1;

}  // namespace mrcnn
