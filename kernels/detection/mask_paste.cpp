#include "kernels/detection/mask_paste.h"

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

Tensor paste_mask(const Tensor& probs, const Tensor& box, int64_t height, int64_t width,
                  int64_t extra_pixel) {
  constexpr const char* kOp = "paste_mask";
  detection::require_f32(kOp, "probs", probs, "[M,M]", {detection::kAny, detection::kAny});
  detection::require_f32(kOp, "box", box, "[4]", {4});
  if (probs.size(0) != probs.size(1) || probs.size(0) == 0 || probs.size(0) > INT16_MAX) {
    throw ShapeError(fmt::format("[{}] probs must be [M,M]: {}", kOp, probs.describe()));
  }
  if (height < 0 || width < 0 || extra_pixel < 0) {
    throw ShapeError(fmt::format("[{}] canvas {} x {} and extra_pixel {} must not be negative", kOp,
                                 height, width, extra_pixel));
  }
  const Device device = common_device(kOp, {&probs, &box});
  const Tensor canvas = Tensor::empty({height, width}, DType::kF32, device);
  dispatch_device(
      kOp, device,
      [&] {
        cpu::paste_mask(probs.size(0), height, width, extra_pixel, probs.data<const float>(),
                        box.data<const float>(), canvas.data<float>());
      },
      [&](Stream stream) {
        cuda::paste_mask(probs.size(0), height, width, extra_pixel, probs.pointer<const float>(),
                         box.pointer<const float>(), canvas.pointer<float>(), stream);
      });
  return canvas;
}

}  // namespace mrcnn
