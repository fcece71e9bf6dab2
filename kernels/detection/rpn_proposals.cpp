#include "kernels/detection/rpn_proposals.h"

#include "core/dispatch.h"
#include "kernels/detection/checks.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "rpn_proposals";

void check_level(const RpnLevel& level, int64_t images) {
  using detection::kAny;
  detection::require_f32(kOp, "base_anchors", level.base_anchors, "[A,4]", {kAny, 4});
  const int64_t anchors = level.base_anchors.size(0);
  if (level.deltas.defined()) {
    detection::require_shape(kOp, "logits", level.logits, "[N,H,W,A]",
                             {images, kAny, kAny, anchors});
    detection::require_shape(kOp, "deltas", level.deltas, "[N,H,W,4*A]",
                             {images, level.logits.size(1), level.logits.size(2), 4 * anchors});
    detection::require_dtype(kOp, "deltas", level.deltas, level.logits.dtype());
  } else {
    detection::require_shape(kOp, "logits", level.logits, "[N,H,W,5*A] without deltas",
                             {images, kAny, kAny, 5 * anchors});
  }
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

Device check_inputs(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                    const RpnProposalParams& params) {
  detection::require_f32(kOp, "image_sizes", image_sizes, "[N,2]", {detection::kAny, 2});
  check_params(params);
  int64_t total = 0;
  for (const RpnLevel& level : levels) {
    check_level(level, image_sizes.size(0));
    detection::require_dtype(kOp, "logits", level.logits, levels[0].logits.dtype());
    common_device(kOp, {&image_sizes, &level.logits, &level.deltas, &level.base_anchors});
    total += level.num_anchors();
  }
  detection::require_indexable(kOp, "all levels", total);
  return image_sizes.device();
}

Proposals run_on_cpu(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                     const RpnProposalParams& params) {
  const int64_t images = image_sizes.size(0);
  std::vector<ImageSize> sizes;
  for (int64_t n = 0; n < images; ++n) {
    const float* size = image_sizes.data<const float>() + 2 * n;
    sizes.push_back({static_cast<int64_t>(size[0]), static_cast<int64_t>(size[1])});
  }
  std::vector<ChannelParts> parts;  // keeps what the views point to
  std::vector<cpu::RpnLevelView> views;
  for (const RpnLevel& level : levels) {
    detection::require_dtype(kOp, "logits", level.logits, DType::kF32);
    parts.push_back(level.deltas.defined()
                        ? ChannelParts{.first = level.logits, .second = level.deltas}
                        : split_channels(level.logits, level.base_anchors.size(0)));
    views.push_back({.grid = level.grid(),
                     .count = level.num_anchors(),
                     .logits = parts.back().first.data<const float>(),
                     .deltas = parts.back().second.data<const float>(),
                     .base_anchors = level.base_anchors.data<const float>()});
  }
  const int64_t capacity = params.post_nms_top_n;
  Proposals result{.boxes = Tensor::zeros({images, capacity, 4}),
                   .scores = Tensor::zeros({images, capacity}),
                   .count = Tensor::zeros({images}, DType::kI32)};
  cpu::rpn_proposals(views, sizes, params, result.boxes.data<float>(), result.scores.data<float>(),
                     result.count.data<int32_t>());
  return result;
}

}  // namespace

Proposals rpn_proposals(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                        const RpnProposalParams& params) {
  const Device device = check_inputs(levels, image_sizes, params);
  Proposals result;
  dispatch_device(
      kOp, device, [&] { result = run_on_cpu(levels, image_sizes, params); },
      [&](Stream stream) { result = cuda::rpn_proposals(levels, image_sizes, params, stream); });
  return result;
}

Proposals rpn_proposals(const std::vector<RpnLevel>& levels,
                        const std::vector<ImageSize>& image_sizes,
                        const RpnProposalParams& params) {
  const Device device = levels.empty() ? Device{} : levels[0].logits.device();
  return rpn_proposals(levels, image_size_tensor(image_sizes, device), params);
}

}  // namespace mrcnn
