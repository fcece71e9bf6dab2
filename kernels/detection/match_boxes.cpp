#include "kernels/detection/match_boxes.h"

#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "match_boxes";

void check_params(const MatchParams& params) {
  if (!(params.bg_threshold >= 0 && params.fg_threshold >= params.bg_threshold &&
        params.fg_threshold > 0)) {
    throw ShapeError(fmt::format("[{}] thresholds must be 0 <= bg <= fg and fg > 0: bg {}, fg {}",
                                 kOp, params.bg_threshold, params.fg_threshold));
  }
}

MatchView check_inputs(const Tensor& refs, const Tensor& ref_count, const Tensor& gt_boxes,
                       const Tensor& gt_count) {
  using detection::kAny;
  detection::require_f32(kOp, "gt_boxes", gt_boxes, "[N,G,4]", {kAny, kAny, 4});
  const int64_t images = gt_boxes.size(0);
  const int64_t objects = gt_boxes.size(1);
  const bool shared = refs.defined() && refs.rank() == 2;
  if (shared) {
    detection::require_f32(kOp, "refs", refs, "[T,4] or [N,T,4]", {kAny, 4});
  } else {
    detection::require_f32(kOp, "refs", refs, "[T,4] or [N,T,4]", {images, kAny, 4});
  }
  const int64_t count = refs.size(shared ? 0 : 1);
  detection::require_i32(kOp, "gt_count", gt_count, "[N]", {images});
  detection::require_indexable(kOp, "an image's refs", count);
  detection::require_indexable(kOp, "an image's gt_boxes", objects);
  detection::require_counts(kOp, "gt_count", gt_count, objects);
  if (ref_count.defined()) {
    detection::require_i32(kOp, "ref_count", ref_count, "[N]", {images});
    detection::require_counts(kOp, "ref_count", ref_count, count);
  }
  return {.images = images,
          .refs = count,
          .objects = objects,
          .refs_stride = shared ? 0 : count,
          .ref_boxes = refs.pointer<const float>(),
          .ref_count = ref_count.defined() ? ref_count.pointer<const int32_t>() : nullptr,
          .gt_boxes = gt_boxes.pointer<const float>(),
          .gt_count = gt_count.pointer<const int32_t>(),
          .matched = nullptr};
}

}  // namespace

Tensor match_boxes(const Tensor& refs, const Tensor& ref_count, const Tensor& gt_boxes,
                   const Tensor& gt_count, const MatchParams& params) {
  check_params(params);
  MatchView view = check_inputs(refs, ref_count, gt_boxes, gt_count);
  const Device device = common_device(kOp, {&refs, &ref_count, &gt_boxes, &gt_count});
  const Tensor matched = Tensor::empty({view.images, view.refs}, DType::kI32, device);
  view.matched = matched.pointer<int32_t>();
  dispatch_device(
      kOp, device, [&] { cpu::match_boxes(view, params); },
      [&](Stream stream) {
        const Tensor gt_best = Tensor::zeros({view.images, view.objects}, DType::kI32, device);
        cuda::match_boxes(view, params, gt_best.pointer<int32_t>(), stream);
      });
  return matched;
}

}  // namespace mrcnn
