// The stages of Mask R-CNN on a GPU after the feature maps: arrays of a fixed size with a count, so
// that nothing waits for the host and a captured graph serves every image of a padded size.
#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"
#include "kernels/detection/rpn_proposals.h"
#include "models/detection/box_head.h"
#include "models/detection/mask_head.h"
#include "models/detection/observer.h"
#include "models/mask_rcnn/batch.h"
#include "models/mask_rcnn/config.h"

namespace mrcnn {

// RoIAlign, box head, non-maximum suppression, RoIAlign, mask head, for all images at once. maps:
// those that serve RoIs, finest first.
DetectionBatch detect_on_device(const MaskRcnnConfig& config, std::span<const Tensor> maps,
                                const BoxHead& box, const MaskHead& mask,
                                const Proposals& proposals, const Tensor& clip_sizes,
                                const Observer& observer);

// Brings the detections to the CPU, with one wait, and into the original images' pixels.
std::vector<Instances> collect_instances(const DetectionBatch& detections, const ImageBatch& batch);

}  // namespace mrcnn
