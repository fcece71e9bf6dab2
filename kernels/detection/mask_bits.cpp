#include "kernels/detection/mask_bits.h"

#include "core/dispatch.h"

namespace mrcnn {

Tensor mask_bits(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                 const MaskThreshold& params) {
  constexpr const char* kOp = "mask_bits";
  const MaskGeometry g = mask_geometry(kOp, probs, boxes, height, width, params);
  const Tensor bits =
      Tensor::empty({g.masks, height, (width + 31) / 32}, DType::kI32, probs.device());
  dispatch_device(
      kOp, probs.device(),
      [&] {
        cpu::mask_bits(g, probs.data<const float>(), boxes.data<const float>(),
                       bits.data<int32_t>());
      },
      [&](Stream stream) {
        cuda::mask_bits(g, probs.pointer<const float>(), boxes.pointer<const float>(),
                        bits.pointer<int32_t>(), stream);
      });
  return bits;
}

}  // namespace mrcnn
