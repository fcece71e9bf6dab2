#include "models/mask_rcnn/device_stages.h"

#include <array>

#include "core/primitives.h"
#include "kernels/detection/candidates.h"
#include "kernels/detection/gather_detections.h"
#include "kernels/detection/nms.h"
#include "kernels/detection/roi_align.h"
#include "models/mask_rcnn/roi_geometry.h"

namespace mrcnn {

DetectionBatch detect_on_device(const MaskRcnnConfig& config, std::span<const Tensor> maps,
                                const BoxHead& box, const MaskHead& mask,
                                const Proposals& proposals, const Tensor& clip_sizes,
                                const Observer& observer) {
  const int64_t images = proposals.boxes.size(0), rois = proposals.boxes.size(1);
  observer.see("proposals", proposals.boxes);
  const Tensor predicted =
      box.forward_merged(roi_align(maps, proposal_rois(proposals.boxes, proposals.count),
                                   roi_align_params(config, maps.size(), kBoxGrid)));
  observer.ended("box_head");
  observer.see("box/merged", predicted);
  const Candidates candidates =
      select_candidates(predicted.reshape({images, rois, predicted.size(1)}), Tensor{},
                        proposals.boxes, proposals.count, clip_sizes,
                        {.score_threshold = config.inference.score_threshold,
                         .strict_greater = !config.box.score_at_least,
                         .min_size = config.box.min_size});
  // A class has at most one candidate per RoI.
  const NmsResult kept =
      nms(candidates.boxes, candidates.scores, candidates.labels, candidates.count,
          {.iou_threshold = config.inference.nms_threshold,
           .max_keep = config.inference.max_detections,
           .max_group_size = rois});
  const Detections found = gather_detections(candidates, kept);
  observer.ended("detect");
  observer.see("network_boxes", found.boxes);
  const Tensor labels = found.labels.reshape({found.labels.numel()});
  Tensor masks = mask.forward(
      roi_align(maps, found.rois, roi_align_params(config, maps.size(), kMaskGrid)), labels);
  observer.ended("mask_head");
  return {.boxes = found.boxes,
          .scores = found.scores,
          .labels = found.labels,
          .count = found.count,
          .mask_probs = std::move(masks)};
}

std::vector<Instances> collect_instances(const DetectionBatch& detections,
                                         const ImageBatch& batch) {
  const std::array<Tensor, 6> wanted{detections.boxes, detections.scores,     detections.labels,
                                     detections.count, detections.mask_probs, batch.clip_sizes};
  const std::vector<Tensor> host = download(wanted);
  const int64_t capacity = detections.boxes.size(1);
  std::vector<Instances> results;
  for (int64_t n = 0; n < static_cast<int64_t>(batch.original.size()); ++n) {
    const int64_t count = host[3].data<const int32_t>()[n];
    const float* const clip = host[5].data<const float>() + 2 * n;
    const ImageSize network{static_cast<int64_t>(clip[0]), static_cast<int64_t>(clip[1])};
    const ImageSize& original = batch.original[static_cast<size_t>(n)];
    const auto rows = [&](const Tensor& all, const Shape& shape) {
      return all.slice(n, n + 1).reshape(shape).slice(0, count).clone();
    };
    results.push_back({.height = original.height,
                       .width = original.width,
                       .boxes = rescale_boxes(rows(host[0], {capacity, 4}), network, original),
                       .labels = rows(host[2], {capacity}),
                       .scores = rows(host[1], {capacity}),
                       .mask_probs = host[4].slice(n * capacity, n * capacity + count).clone()});
  }
  return results;
}

}  // namespace mrcnn
