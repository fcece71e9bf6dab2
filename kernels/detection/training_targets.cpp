#include "kernels/detection/training_targets.h"

#include <algorithm>

#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

using detection::kAny;

constexpr const char* kOp = "training_targets";
constexpr const char* kPositiveOp = "positive_targets";

// The values are looked at on the CPU only.
void check_values(const TargetView& view) {
  for (int64_t i = 0; i < view.images * view.samples; ++i) {
    const int64_t index = view.indices[i];
    if (index < -1 || index >= view.refs) {
      throw ShapeError(fmt::format("[{}] sample {} of image {} is box {}, not -1 or 0..{}", kOp,
                                   i % view.samples, i / view.samples, index, view.refs - 1));
    }
    if (index < 0) continue;
    const int64_t object = view.matched[i / view.samples * view.refs + index];
    if (object >= view.objects) {
      throw ShapeError(fmt::format("[{}] box {} of image {} is matched with object {} of {}", kOp,
                                   index, i / view.samples, object, view.objects));
    }
    if (object < 0 || view.gt_labels == nullptr) continue;
    const int32_t label = view.gt_labels[i / view.samples * view.objects + object];
    if (label < 1) {
      throw ShapeError(fmt::format("[{}] object {} of image {} has label {}, not a class from 1 on",
                                   kOp, object, i / view.samples, label));
    }
  }
}

TargetView check_inputs(const Tensor& refs, const Tensor& gt_boxes, const Tensor& gt_labels,
                        const Tensor& matched, const SampledMatches& samples,
                        const TargetParams& params) {
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
  if (gt_labels.defined()) {
    detection::require_i32(kOp, "gt_labels", gt_labels, "[N,G]", {images, objects});
  }
  detection::require_i32(kOp, "matched", matched, "[N,T]", {images, count});
  detection::require_i32(kOp, "samples.indices", samples.indices, "[N,S]", {images, kAny});
  detection::require_i32(kOp, "samples.num_positive", samples.num_positive, "[N]", {images});
  detection::require_i32(kOp, "samples.num_negative", samples.num_negative, "[N]", {images});
  detection::require_weights(kOp, params.weights);
  if (params.mask_elements < 1) {
    throw ShapeError(
        fmt::format("[{}] mask_elements must be positive: {}", kOp, params.mask_elements));
  }
  detection::require_indexable(kOp, "the targets", samples.indices.numel());
  const TargetView view{
      .images = images,
      .refs = count,
      .objects = objects,
      .samples = samples.indices.size(1),
      .refs_stride = shared ? 0 : count,
      .params = params,
      .ref_boxes = refs.pointer<const float>(),
      .gt_boxes = gt_boxes.pointer<const float>(),
      .gt_labels = gt_labels.defined() ? gt_labels.pointer<const int32_t>() : nullptr,
      .matched = matched.pointer<const int32_t>(),
      .indices = samples.indices.pointer<const int32_t>(),
      .num_positive = samples.num_positive.pointer<const int32_t>(),
      .num_negative = samples.num_negative.pointer<const int32_t>()};
  return view;
}

}  // namespace

TrainingTargets training_targets(const Tensor& refs, const Tensor& gt_boxes,
                                 const Tensor& gt_labels, const Tensor& matched,
                                 const SampledMatches& samples, const TargetParams& params) {
  const TargetView view = check_inputs(refs, gt_boxes, gt_labels, matched, samples, params);
  const Device device =
      common_device(kOp, {&refs, &gt_boxes, &gt_labels, &matched, &samples.indices,
                          &samples.num_positive, &samples.num_negative});
  if (device.is_cpu()) check_values(view);
  const int64_t rows = view.images * view.samples;
  const TrainingTargets targets{.rois = Tensor::empty({rows, 5}, DType::kF32, device),
                                .labels = Tensor::empty({rows}, DType::kI32, device),
                                .deltas = Tensor::empty({rows, 4}, DType::kF32, device),
                                .matched_gt = Tensor::empty({rows}, DType::kI32, device),
                                .sample_weights = Tensor::empty({rows}, DType::kF32, device),
                                .box_weights = Tensor::empty({rows}, DType::kF32, device),
                                .mask_weights = Tensor::empty({rows}, DType::kF32, device)};
  const TargetRows output{.rois = targets.rois.pointer<float>(),
                          .labels = targets.labels.pointer<int32_t>(),
                          .deltas = targets.deltas.pointer<float>(),
                          .matched_gt = targets.matched_gt.pointer<int32_t>(),
                          .sample_weights = targets.sample_weights.pointer<float>(),
                          .box_weights = targets.box_weights.pointer<float>(),
                          .mask_weights = targets.mask_weights.pointer<float>()};
  dispatch_device(
      kOp, device, [&] { cpu::training_targets(view, output); },
      [&](Stream stream) { cuda::training_targets(view, output, stream); });
  return targets;
}

PositiveTargets positive_targets(const TrainingTargets& targets, int64_t samples_per_image,
                                 int64_t max_positive) {
  detection::require_f32(kPositiveOp, "rois", targets.rois, "[N*S,5]", {kAny, 5});
  const int64_t rows = targets.rois.size(0);
  if (samples_per_image < 1 || rows % samples_per_image != 0 || max_positive < 0 ||
      max_positive > samples_per_image) {
    throw ShapeError(
        fmt::format("[{}] {} rows are no images of {} samples, or {} positives are no "
                    "part of these",
                    kPositiveOp, rows, samples_per_image, max_positive));
  }
  detection::require_i32(kPositiveOp, "labels", targets.labels, "[N*S]", {rows});
  detection::require_i32(kPositiveOp, "matched_gt", targets.matched_gt, "[N*S]", {rows});
  detection::require_f32(kPositiveOp, "mask_weights", targets.mask_weights, "[N*S]", {rows});
  const Device device = common_device(
      kPositiveOp, {&targets.rois, &targets.labels, &targets.matched_gt, &targets.mask_weights});
  const int64_t images = rows / samples_per_image;
  int64_t count = images * max_positive;
  if (device.is_cpu()) {
    const auto labels = targets.labels.span<const int32_t>();
    count = std::count_if(labels.begin(), labels.end(), [](int32_t label) { return label > 0; });
  }
  const PositiveTargets positives{.rois = Tensor::empty({count, 5}, DType::kF32, device),
                                  .labels = Tensor::empty({count}, DType::kI32, device),
                                  .matched_gt = Tensor::empty({count}, DType::kI32, device),
                                  .mask_weights = Tensor::empty({count}, DType::kF32, device),
                                  .rows = Tensor::empty({count}, DType::kI32, device)};
  const PositiveView view{.images = images,
                          .samples = samples_per_image,
                          .max_positive = max_positive,
                          .rois = targets.rois.pointer<const float>(),
                          .labels = targets.labels.pointer<const int32_t>(),
                          .matched_gt = targets.matched_gt.pointer<const int32_t>(),
                          .mask_weights = targets.mask_weights.pointer<const float>(),
                          .output_rois = positives.rois.pointer<float>(),
                          .output_labels = positives.labels.pointer<int32_t>(),
                          .output_matched_gt = positives.matched_gt.pointer<int32_t>(),
                          .output_mask_weights = positives.mask_weights.pointer<float>(),
                          .output_rows = positives.rows.pointer<int32_t>()};
  dispatch_device(
      kPositiveOp, device, [&] { cpu::positive_targets(view); },
      [&](Stream stream) { cuda::positive_targets(view, stream); });
  return positives;
}

}  // namespace mrcnn
