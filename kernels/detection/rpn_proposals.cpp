#include "kernels/detection/rpn_proposals.h"

#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "rpn_proposals";

void check_level(const RpnLevel& level, int64_t images) {
  using detection::kAny;
  detection::require_f32(kOp, "base_anchors", level.base_anchors, "[A,4]", {kAny, 4});
  const int64_t anchors = level.base_anchors.size(0);
  detection::require_f32(kOp, "logits", level.logits, "[N,H,W,A]", {images, kAny, kAny, anchors});
  detection::require_f32(kOp, "deltas", level.deltas, "[N,H,W,4*A]",
                         {images, level.logits.size(1), level.logits.size(2), 4 * anchors});
  if (level.stride_height < 1 || level.stride_width < 1) {
    throw ShapeError(fmt::format("[{}] stride must be positive: {} x {}", kOp, level.stride_height,
                                 level.stride_width));
  }
}

void check_params(const RpnProposalParams& params) {
  if (params.pre_nms_top_n < 0 || params.post_nms_top_n < 0 || !(params.nms_threshold >= 0)) {
    throw ShapeError(fmt::format(
        "[{}] pre_nms_top_n {}, post_nms_top_n {} and nms_threshold {} must not be negative", kOp,
        params.pre_nms_top_n, params.post_nms_top_n, params.nms_threshold));
  }
  detection::require_weights(kOp, params.weights);
}

}  // namespace

Proposals rpn_proposals(const std::vector<RpnLevel>& levels,
                        const std::vector<ImageSize>& image_sizes,
                        const RpnProposalParams& params) {
  const auto images = static_cast<int64_t>(image_sizes.size());
  check_params(params);
  std::vector<cpu::RpnLevelView> views;
  int64_t total = 0;
  for (const RpnLevel& level : levels) {
    check_level(level, images);
    const int64_t anchors = level.base_anchors.size(0);
    const int64_t count = level.logits.size(1) * level.logits.size(2) * anchors;
    views.push_back({.grid = {.width = level.logits.size(2),
                              .num_anchors = anchors,
                              .stride_height = level.stride_height,
                              .stride_width = level.stride_width},
                     .count = count,
                     .logits = level.logits.data<const float>(),
                     .deltas = level.deltas.data<const float>(),
                     .base_anchors = level.base_anchors.data<const float>()});
    total += count;
  }
  detection::require_indexable(kOp, "all levels", total);
  const int64_t capacity = params.post_nms_top_n;
  Proposals result{.boxes = Tensor::zeros({images, capacity, 4}),
                   .scores = Tensor::zeros({images, capacity}),
                   .count = Tensor::zeros({images}, DType::kI32)};
  cpu::rpn_proposals(views, image_sizes, params, result.boxes.data<float>(),
                     result.scores.data<float>(), result.count.data<int32_t>());
  return result;
}

}  // namespace mrcnn
