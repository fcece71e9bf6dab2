#include "kernels/detection/iou.h"

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {

Tensor box_iou(const Tensor& a, const Tensor& b) {
  constexpr const char* kOp = "box_iou";
  detection::require_f32(kOp, "a", a, "[N,4]", {detection::kAny, 4});
  detection::require_f32(kOp, "b", b, "[M,4]", {detection::kAny, 4});
  const Device device = common_device(kOp, {&a, &b});
  const Tensor output = Tensor::empty({a.size(0), b.size(0)}, DType::kF32, device);
  const auto* boxes_a = a.pointer<const float>();
  const auto* boxes_b = b.pointer<const float>();
  auto* iou = output.pointer<float>();
  dispatch_device(
      kOp, device, [&] { cpu::box_iou(a.size(0), b.size(0), boxes_a, boxes_b, iou); },
      [&](Stream stream) { cuda::box_iou(a.size(0), b.size(0), boxes_a, boxes_b, iou, stream); });
  return output;
}

}  // namespace mrcnn
