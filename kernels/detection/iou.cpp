#include "kernels/detection/iou.h"

#include "kernels/detection/checks.h"

namespace mrcnn {

Tensor box_iou(const Tensor& a, const Tensor& b) {
  constexpr const char* kOp = "box_iou";
  detection::require_f32(kOp, "a", a, "[N,4]", {detection::kAny, 4});
  detection::require_f32(kOp, "b", b, "[M,4]", {detection::kAny, 4});
  Tensor output = Tensor::empty({a.size(0), b.size(0)});
  cpu::box_iou(a.size(0), b.size(0), a.data<const float>(), b.data<const float>(),
               output.data<float>());
  return output;
}

}  // namespace mrcnn
