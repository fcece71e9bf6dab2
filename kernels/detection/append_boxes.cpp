#include "kernels/detection/append_boxes.h"

#include "kernels/detection/checks.h"

namespace mrcnn {

BoxLists append_boxes(const Tensor& boxes, const Tensor& count, const Tensor& extra,
                      const Tensor& extra_count) {
  constexpr const char* kOp = "append_boxes";
  using detection::kAny;
  detection::require_f32(kOp, "boxes", boxes, "[N,P,4]", {kAny, kAny, 4});
  const int64_t images = boxes.size(0);
  detection::require_f32(kOp, "extra", extra, "[N,G,4]", {images, kAny, 4});
  detection::require_i32(kOp, "count", count, "[N]", {images});
  detection::require_i32(kOp, "extra_count", extra_count, "[N]", {images});
  detection::require_indexable(kOp, "an image's boxes", boxes.size(1) + extra.size(1));
  detection::require_counts(kOp, "count", count, boxes.size(1));
  detection::require_counts(kOp, "extra_count", extra_count, extra.size(1));
  const Device device = common_device(kOp, {&boxes, &count, &extra, &extra_count});
  const BoxLists lists{
      .boxes = Tensor::empty({images, boxes.size(1) + extra.size(1), 4}, DType::kF32, device),
      .count = Tensor::zeros({images}, DType::kI32, device)};
  const AppendView view{.images = images,
                        .capacity = boxes.size(1),
                        .extra_capacity = extra.size(1),
                        .boxes = boxes.pointer<const float>(),
                        .count = count.pointer<const int32_t>(),
                        .extra = extra.pointer<const float>(),
                        .extra_count = extra_count.pointer<const int32_t>(),
                        .output = lists.boxes.pointer<float>(),
                        .output_count = lists.count.pointer<int32_t>()};
  dispatch_device(
      kOp, device, [&] { cpu::append_boxes(view); },
      [&](Stream stream) { cuda::append_boxes(view, stream); });
  return lists;
}

}  // namespace mrcnn
