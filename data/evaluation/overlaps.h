// The overlaps of all detections with all objects of a list.
#pragma once

#include <span>
#include <vector>

#include "data/evaluation/evaluated_objects.h"

namespace mrcnn {

// D * G, detection outermost, by coco_box_iou or coco_mask_iou.
std::vector<double> overlaps(IouKind kind, std::span<const EvaluatedDetection* const> detections,
                             std::span<const EvaluatedTruth* const> truths);

}  // namespace mrcnn
