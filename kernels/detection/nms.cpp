#include "kernels/detection/nms.h"

#include <algorithm>

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
    check_counts(count, limit);
  }
  detection::require_indexable(kOp, "an image", limit);
  if (!(params.iou_threshold >= 0) || params.max_keep < 0 || params.max_keep_per_group < 0) {
    throw ShapeError(fmt::format(
        "[{}] iou_threshold {}, max_keep {} and max_keep_per_group {} must not be negative", kOp,
        params.iou_threshold, params.max_keep, params.max_keep_per_group));
  }
  const int64_t capacity = std::min(params.max_keep, limit);
  NmsResult result{.keep = Tensor::zeros({images, capacity}, DType::kI32),
                   .count = Tensor::zeros({images}, DType::kI32)};
  cpu::nms({.images = images, .boxes = limit, .capacity = capacity, .params = params},
           boxes.data<const float>(), scores.data<const float>(),
           groups.defined() ? groups.data<const int32_t>() : nullptr,
           count.defined() ? count.data<const int32_t>() : nullptr, result.keep.data<int32_t>(),
           result.count.data<int32_t>());
  return result;
}

}  // namespace mrcnn
