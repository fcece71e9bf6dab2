// Where a photo lies in the network's input in training: mirrored if asked for, resized, and the
// part of it that is seen, whose first pixel becomes the input's first pixel.
#pragma once

#include <cstdint>

#include "kernels/image/resized_size.h"

namespace mrcnn {

struct ImagePlacement {
  ImageSize resized;      // of the whole photo
  ImageSize visible;      // rows and columns of it that the input holds; the rest is padding
  int64_t crop_top = 0;   // rows and columns of the resized photo that are cut away,
  int64_t crop_left = 0;  // after mirroring
  bool flip = false;      // left and right exchanged

  // The whole photo, upright.
  static ImagePlacement whole(ImageSize size) { return {.resized = size, .visible = size}; }
};

}  // namespace mrcnn
