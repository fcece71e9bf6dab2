#include "kernels/detection/mask_rle.h"

#include "core/parallel.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

std::vector<Rle> masks_to_rle(const Tensor& probs, const Tensor& boxes, int64_t height,
                              int64_t width, const MaskRleParams& params) {
  constexpr const char* kOp = "masks_to_rle";
  detection::require_f32(kOp, "boxes", boxes, "[D,4]", {detection::kAny, 4});
  detection::require_f32(kOp, "probs", probs, "[D,M,M]",
                         {boxes.size(0), detection::kAny, detection::kAny});
  const int64_t mask_size = probs.size(1);
  if (mask_size != probs.size(2) || mask_size == 0 || mask_size > INT16_MAX) {
    throw ShapeError(fmt::format("[{}] probs must be [D,M,M]: {}", kOp, probs.describe()));
  }
  // Run lengths are 32-bit.
  if (height < 0 || width < 0 || Shape{height, width}.numel() > UINT32_MAX) {
    throw ShapeError(
        fmt::format("[{}] cannot encode an image of {} x {} pixels", kOp, height, width));
  }
  if (!(params.threshold >= 0) || params.extra_pixel < 0) {
    throw ShapeError(fmt::format("[{}] threshold {} and extra_pixel {} must not be negative", kOp,
                                 params.threshold, params.extra_pixel));
  }
  std::vector<Rle> result(static_cast<size_t>(boxes.size(0)));
  const float* prob = probs.data<const float>();
  const float* box = boxes.data<const float>();
  parallel_for(0, boxes.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      result[static_cast<size_t>(i)] = cpu::mask_to_rle(
          mask_size, height, width, params, prob + i * mask_size * mask_size, box + 4 * i);
    }
  });
  return result;
}

}  // namespace mrcnn
