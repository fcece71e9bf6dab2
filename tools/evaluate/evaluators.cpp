#include "tools/evaluate/evaluators.h"

#include <algorithm>

namespace mrcnn {

Evaluators::Evaluators(const Dataset& dataset, const EvaluatorChoice& choice) {
  std::vector<int64_t> labels;
  for (const DatasetClass& one : dataset.classes()) labels.push_back(one.label);
  for (const IouKind kind : {IouKind::kBox, IouKind::kMask}) {
    if (!(kind == IouKind::kBox ? choice.boxes : choice.masks)) continue;
    parts_.push_back({.kind = kind,
                      .coco = std::make_unique<CocoEvaluator>(labels, kind, choice.coco),
                      .voc = choice.voc ? std::make_unique<VocEvaluator>(labels, kind) : nullptr,
                      .confusion = nullptr});
  }
  if (!choice.confusion || parts_.empty()) return;
  parts_.back().confusion = std::make_unique<ConfusionMatrix>(labels, parts_.back().kind);
}

void Evaluators::add(int64_t image_id, std::span<const EvaluatedTruth> truths,
                     std::span<const EvaluatedDetection> detections) {
  for (const Part& part : parts_) {
    part.coco->add(image_id, truths, detections);
    if (part.voc) part.voc->add(image_id, truths, detections);
    if (part.confusion) part.confusion->add(truths, detections);
  }
}

bool Evaluators::want_masks() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind == IouKind::kMask; });
}

std::string_view iou_type_name(IouKind kind) { return kind == IouKind::kBox ? "bbox" : "segm"; }

}  // namespace mrcnn
