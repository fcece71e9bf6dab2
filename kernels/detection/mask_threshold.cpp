#include "kernels/detection/mask_threshold.h"

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

MaskGeometry mask_geometry(const char* op, const Tensor& probs, const Tensor& boxes, int64_t height,
                           int64_t width, const MaskThreshold& params) {
  detection::require_f32(op, "boxes", boxes, "[D,4]", {detection::kAny, 4});
  detection::require_f32(op, "probs", probs, "[D,M,M]",
                         {boxes.size(0), detection::kAny, detection::kAny});
  common_device(op, {&probs, &boxes});
  const int64_t mask_size = probs.size(1);
  if (mask_size != probs.size(2) || mask_size == 0 || mask_size > INT16_MAX) {
    throw ShapeError(fmt::format("[{}] probs must be [D,M,M]: {}", op, probs.describe()));
  }
  // Run lengths are 32-bit.
  if (height < 0 || width < 0 || Shape{height, width}.numel() > UINT32_MAX) {
    throw ShapeError(
        fmt::format("[{}] cannot encode an image of {} x {} pixels", op, height, width));
  }
  if (!(params.threshold >= 0) || params.extra_pixel < 0) {
    throw ShapeError(fmt::format("[{}] threshold {} and extra_pixel {} must not be negative", op,
                                 params.threshold, params.extra_pixel));
  }
  return {.masks = boxes.size(0),
          .mask_size = mask_size,
          .height = height,
          .width = width,
          .extra_pixel = params.extra_pixel,
          .threshold = params.threshold};
}

}  // namespace mrcnn
