#include "kernels/detection/mask_targets.h"

#include "kernels/detection/checks.h"

namespace mrcnn {

Tensor mask_targets(const Tensor& rois, const Tensor& matched_gt, const MaskTable& masks,
                    int64_t size) {
  constexpr const char* kOp = "mask_targets";
  detection::require_f32(kOp, "rois", rois, "[M,5]", {detection::kAny, 5});
  const int64_t count = rois.size(0);
  detection::require_i32(kOp, "matched_gt", matched_gt, "[M]", {count});
  detection::require_i32(kOp, "masks.images", masks.images, "[N,9]",
                         {detection::kAny, kMaskImageFields});
  const int64_t images = masks.images.size(0);
  detection::require_i32(kOp, "masks.offsets", masks.offsets, "[N*G+1]",
                         {images * masks.objects + 1});
  detection::require_i32(kOp, "masks.ends", masks.ends, "[runs]", {detection::kAny});
  if (size < 1 || size > 1024) {
    throw ShapeError(fmt::format("[{}] size {} is not in 1..1024", kOp, size));
  }
  detection::require_indexable(kOp, "the targets' rows", count * size);
  const Device device =
      common_device(kOp, {&rois, &matched_gt, &masks.ends, &masks.offsets, &masks.images});
  const Tensor output = Tensor::empty({count, size, size}, DType::kF32, device);
  const MaskTargetView view{.count = count,
                            .size = size,
                            .images = images,
                            .objects = masks.objects,
                            .rois = rois.pointer<const float>(),
                            .matched_gt = matched_gt.pointer<const int32_t>(),
                            .ends = masks.ends.pointer<const int32_t>(),
                            .offsets = masks.offsets.pointer<const int32_t>(),
                            .geometry = masks.images.pointer<const int32_t>()};
  auto* targets = output.pointer<float>();
  dispatch_device(
      kOp, device, [&] { cpu::mask_targets(view, targets); },
      [&](Stream stream) { cuda::mask_targets(view, targets, stream); });
  return output;
}

}  // namespace mrcnn
