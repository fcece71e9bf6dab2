// What the ops have in common that turn probability maps into binary masks at image size.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "core/tensor.h"

namespace mrcnn {

struct MaskThreshold {
  float threshold = 0.5F;   // >= 0; a pixel belongs to the object if its probability is above
  int64_t extra_pixel = 1;  // see mask_paste.h
};

// Sizes of probs [masks, mask_size, mask_size], boxes [masks, 4] and the image.
struct MaskGeometry {
  int64_t masks = 0;
  int64_t mask_size = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t extra_pixel = 0;
  float threshold = 0;

  HOST_DEVICE int64_t pixels() const { return height * width; }
};

// Checks the arguments of such an op. Throws ShapeError, DTypeError or DeviceError.
MaskGeometry mask_geometry(const char* op, const Tensor& probs, const Tensor& boxes, int64_t height,
                           int64_t width, const MaskThreshold& params);

}  // namespace mrcnn
