#include "models/mask_rcnn/roi_stage.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "kernels/detection/candidates.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/roi_align.h"
#include "models/mask_rcnn/roi_geometry.h"

namespace mrcnn {
namespace {

// RoIs whose maps are in the mask head at once: bounds memory when a caller keeps thousands.
constexpr int64_t kMaskChunk = 128;

// [R, 5] (image index, x1, y1, x2, y2) from boxes [R, 4].
Tensor make_rois(int64_t image_index, const Tensor& boxes) {
  const int64_t count = boxes.size(0);
  Tensor rois = Tensor::empty({count, 5});
  const float* box = boxes.data<const float>();
  float* roi = rois.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    roi[i * 5] = static_cast<float>(image_index);
    std::copy_n(box + i * 4, 4, roi + i * 5 + 1);
  }
  return rois;
}

// The original system keeps the best `limit` of every class and lists class by class.
std::vector<int32_t> order_by_class(std::span<const int32_t> kept, const int32_t* labels,
                                    int64_t limit) {
  std::vector<int32_t> sorted(kept.begin(), kept.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [labels](int32_t a, int32_t b) { return labels[a] < labels[b]; });
  std::vector<int32_t> limited;
  int64_t run = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && labels[sorted[i]] == labels[sorted[i - 1]] ? run + 1 : 1;
    if (run <= limit) limited.push_back(sorted[i]);
  }
  return limited;
}

}  // namespace

RoiStage::RoiStage(const MaskRcnnConfig& config, std::span<const Tensor> maps, const BoxHead& box,
                   const MaskHead& mask)
    : config_(config), maps_(maps), box_(box), mask_(mask) {}

Tensor RoiStage::pool(int64_t image_index, const Tensor& boxes, int64_t grid) const {
  return roi_align(maps_, make_rois(image_index, boxes),
                   roi_align_params(config_, maps_.size(), grid));
}

RoiStage::Detections RoiStage::select(const BoxHeadOutput& output, const Tensor& proposals,
                                      const ImageSize& network) const {
  const int64_t count = proposals.size(0);
  const InferenceConfig& inference = config_.inference;
  const Candidates candidates =
      select_candidates(output.class_logits.reshape({1, count, output.class_logits.size(1)}),
                        output.box_deltas.reshape({1, count, output.box_deltas.size(1)}),
                        proposals.reshape({1, count, 4}), Tensor{}, {network},
                        {.score_threshold = inference.score_threshold,
                         .strict_greater = !config_.box.score_at_least,
                         .min_size = config_.box.min_size});
  const int64_t found = candidates.count.data<const int32_t>()[0];
  const NmsResult kept =
      nms(candidates.boxes, candidates.scores, candidates.labels, candidates.count,
          {.iou_threshold = inference.nms_threshold,
           .max_keep = inference.compat ? found : inference.max_detections});
  const std::span<const int32_t> indices = kept.keep.span<const int32_t>().first(
      static_cast<size_t>(kept.count.data<const int32_t>()[0]));
  const int32_t* labels = candidates.labels.data<const int32_t>();
  const std::vector<int32_t> order = inference.compat
                                         ? order_by_class(indices, labels, inference.max_detections)
                                         : std::vector<int32_t>(indices.begin(), indices.end());

  const auto size = static_cast<int64_t>(order.size());
  Detections detections{.boxes = Tensor::empty({size, 4}),
                        .scores = Tensor::empty({size}),
                        .labels = Tensor::empty({size}, DType::kI64)};
  for (int64_t i = 0; i < size; ++i) {
    const int64_t source = order[static_cast<size_t>(i)];
    std::copy_n(candidates.boxes.data<const float>() + source * 4, 4,
                detections.boxes.data<float>() + i * 4);
    detections.scores.data<float>()[i] = candidates.scores.data<const float>()[source];
    detections.labels.data<int64_t>()[i] = labels[source];
  }
  return detections;
}

Tensor RoiStage::predict_masks(int64_t image_index, const Detections& detections) const {
  const int64_t count = detections.boxes.size(0);
  Tensor masks = Tensor::empty({count, kMaskSize, kMaskSize});
  for (int64_t begin = 0; begin < count; begin += kMaskChunk) {
    const int64_t end = std::min(count, begin + kMaskChunk);
    const Tensor part =
        mask_.forward(pool(image_index, detections.boxes.slice(begin, end), kMaskGrid),
                      detections.labels.slice(begin, end));
    std::copy_n(part.data<const float>(), part.numel(), masks.slice(begin, end).data<float>());
  }
  return masks;
}

Instances RoiStage::run(int64_t image_index, const Tensor& proposals, const Sizes& sizes,
                        const Observer& observer) const {
  Detections detections{.boxes = Tensor::empty({0, 4}),
                        .scores = Tensor::empty({0}),
                        .labels = Tensor::empty({0}, DType::kI64)};
  observer.see("proposals", proposals);
  if (proposals.size(0) > 0) {
    const BoxHeadOutput output = box_.forward(pool(image_index, proposals, kBoxGrid));
    observer.ended("box_head");
    observer.see("box/logits", output.class_logits);
    observer.see("box/deltas", output.box_deltas);
    detections = select(output, proposals, sizes.network);
  }
  observer.ended("detect");
  observer.see("network_boxes", detections.boxes);
  Instances result;
  result.height = sizes.original.height;
  result.width = sizes.original.width;
  result.mask_probs = predict_masks(image_index, detections);
  observer.ended("mask_head");
  result.boxes = rescale_boxes(detections.boxes, sizes.network, sizes.original);
  result.labels = std::move(detections.labels);
  result.scores = std::move(detections.scores);
  return result;
}

}  // namespace mrcnn
