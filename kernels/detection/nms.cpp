#include "kernels/detection/nms.h"

#include <algorithm>

#include "core/dispatch.h"
#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "nms";

void check_counts(const Tensor& count, int64_t limit) {
  for (const int32_t value : count.span<const int32_t>()) {
    if (value < 0 || value > limit) {
      throw ShapeError(fmt::format("[{}] count {} is not in 0..{}", kOp, value, limit));
    }
  }
}

}  // namespace

NmsResult nms(const Tensor& boxes, const Tensor& scores, const Tensor& groups, const Tensor& count,
              const NmsParams& params) {
  using detection::kAny;
  detection::require_f32(kOp, "boxes", boxes, "[N,M,4]", {kAny, kAny, 4});
  const int64_t images = boxes.size(0);
  const int64_t limit = boxes.size(1);
  detection::require_f32(kOp, "scores", scores, "[N,M]", {images, limit});
  if (groups.defined()) detection::require_i32(kOp, "groups", groups, "[N,M]", {images, limit});
  if (count.defined()) {
    detection::require_i32(kOp, "count", count, "[N]", {images});
    if (count.device().is_cpu()) check_counts(count, limit);  // reading it would wait for a GPU
  }
  detection::require_indexable(kOp, "an image", limit);
  if (!(params.iou_threshold >= 0) || params.max_keep < 0 || params.max_keep_per_group < 0) {
    throw ShapeError(fmt::format(
        "[{}] iou_threshold {}, max_keep {} and max_keep_per_group {} must not be negative", kOp,
        params.iou_threshold, params.max_keep, params.max_keep_per_group));
  }
  const Device device = common_device(kOp, {&boxes, &scores, &groups, &count});
  const int64_t capacity = std::min(params.max_keep, limit);
  const NmsGeometry geometry{
      .images = images, .boxes = limit, .capacity = capacity, .params = params};
  const auto output = [device](const Shape& shape) {
    // A GPU's implementation writes all of it.
    return device.is_cpu() ? Tensor::zeros(shape, DType::kI32)
                           : Tensor::empty(shape, DType::kI32, device);
  };
  NmsResult result{.keep = output({images, capacity}), .count = output({images})};
  const auto run = [&](auto implementation, auto... more) {
    implementation(geometry, boxes.pointer<const float>(), scores.pointer<const float>(),
                   groups.defined() ? groups.pointer<const int32_t>() : nullptr,
                   count.defined() ? count.pointer<const int32_t>() : nullptr,
                   result.keep.pointer<int32_t>(), result.count.pointer<int32_t>(), more...);
  };
  dispatch_device(
      kOp, device, [&] { run(cpu::nms); },
      [&](Stream stream) {
        const Tensor workspace =
            Tensor::empty({cuda::nms_workspace_bytes(geometry)}, DType::kU8, device);
        run(cuda::nms, workspace.raw(), stream);
      });
  return result;
}

}  // namespace mrcnn
