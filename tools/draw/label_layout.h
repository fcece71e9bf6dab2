// Where the labels of objects go: inside the picture, near their objects, apart from each other,
// and not over small objects.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tools/draw/canvas.h"

namespace mrcnn {

struct LabelRequest {
  PixelRect object;
  int64_t height = 0;  // of the label, 0 for an object without one
  int64_t width = 0;
};

// The place of each label, in the order given; earlier ones choose first. None where the best
// place would still hide much of another label or all of another object, or where the label is
// larger than the picture.
std::vector<std::optional<PixelRect>> place_labels(std::span<const LabelRequest> requests,
                                                   const PixelRect& picture);

}  // namespace mrcnn
