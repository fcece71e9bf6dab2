// Small pictures of large ones.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "tools/draw/canvas.h"

namespace mrcnn {

// A part of image [H, W, 3] u8, shrunk so that its longer side is at most `most_side` pixels: each
// pixel is the mean of those it covers. Never enlarged. Throws ShapeError if the part is empty or
// leaves the image.
Tensor thumbnail(const Tensor& image, const PixelRect& part, int64_t most_side);

}  // namespace mrcnn
