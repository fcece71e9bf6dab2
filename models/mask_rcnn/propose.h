// From the RPN head's maps to proposals, in inference and in training.
#pragma once

#include <span>

#include "kernels/detection/rpn_proposals.h"
#include "models/detection/rpn_head.h"
#include "models/mask_rcnn/batch.h"

namespace mrcnn {

// base_anchors: per level [A, 4]. clip_to_padding: the original system's fault, on the CPU only.
Proposals propose_boxes(const RpnOutput& rpn, std::span<const Tensor> base_anchors,
                        const ImageBatch& batch, const RpnProposalParams& params,
                        bool clip_to_padding);

}  // namespace mrcnn
