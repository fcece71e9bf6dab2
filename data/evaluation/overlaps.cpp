#include "data/evaluation/overlaps.h"

#include <cstddef>

namespace mrcnn {

std::vector<double> overlaps(IouKind kind, std::span<const EvaluatedDetection* const> detections,
                             std::span<const EvaluatedTruth* const> truths) {
  std::vector<double> iou;
  if (detections.empty() || truths.empty()) return iou;
  iou.reserve(detections.size() * truths.size());
  if (kind == IouKind::kBox) {
    for (const EvaluatedDetection* detection : detections) {
      for (const EvaluatedTruth* truth : truths) {
        iou.push_back(coco_box_iou(detection->box, truth->box, truth->crowd));
      }
    }
    return iou;
  }
  std::vector<BoxedMask> wanted;
  wanted.reserve(truths.size());
  for (const EvaluatedTruth* truth : truths) wanted.emplace_back(truth->mask);
  for (const EvaluatedDetection* detection : detections) {
    const BoxedMask found(detection->mask);
    for (size_t g = 0; g < truths.size(); ++g) {
      iou.push_back(coco_mask_iou(found, wanted[g], truths[g]->crowd));
    }
  }
  return iou;
}

}  // namespace mrcnn
