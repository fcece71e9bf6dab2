// rpn_proposals: from the region proposal network's outputs of all levels to the best boxes.
//   per level: logits [N, H, W, A], deltas [N, H, W, 4*A] ((dx, dy, dw, dh) of anchor 0 first),
//   f32,
//              on a GPU f32 or bf16; without deltas, logits is [N, H, W, 5*A], in each cell the
//              logits and then the deltas; base_anchors [A, 4] f32, stride of its cells in network
//              pixels
//   image_sizes: N sizes (height, width) that boxes are clipped to, as a list or as a tensor
//              [N, 2] f32 (image_sizes.h) on the device of the others
//   returns boxes [N, P, 4], scores [N, P] f32, count [N] i32; P = post_nms_top_n, best score
//           first, zeros past count
// Per image: the pre_nms_top_n best logits of each level -> decode (weights 1) -> clip -> drop
// boxes with a side below min_size or a NaN -> NMS per level -> the P best over all levels.
// NMS and the result are ordered by the returned scores; equal ones (the sigmoid saturates) by
// level, then by logit, then by anchor index. Anchors are computed from the index, no grid is kept.
// A GPU takes at most kMaxTopkLevels (8) levels. It decodes with its own expf, so boxes and scores
// differ from the CPU's in the last bits, and boxes whose IoU is at the threshold may differ.
// Gradient: none (proposals are constants of the losses).
// Deterministic: yes.  Syncs host: no.
// Capturable: yes, with image_sizes as a tensor; a list is uploaded.
// Source: Ren et al. 2015, sec. 3.3; torchvision 0.29 models/detection/rpn.py filter_proposals.
#pragma once

#include <cstdint>
#include <vector>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/anchors_math.h"
#include "kernels/detection/box_math.h"
#include "kernels/image/resized_size.h"

namespace mrcnn {

struct RpnLevel {
  Tensor logits;
  Tensor deltas = {};
  Tensor base_anchors;
  int64_t stride_height = 0;
  int64_t stride_width = 0;

  AnchorGrid grid() const {
    return {.width = logits.size(2),
            .num_anchors = base_anchors.size(0),
            .stride_height = stride_height,
            .stride_width = stride_width};
  }
  int64_t num_anchors() const { return logits.size(1) * logits.size(2) * base_anchors.size(0); }
};

enum class ProposalScore { kProbability, kLogit };

struct RpnProposalParams {
  int64_t pre_nms_top_n = 1000;   // per level
  int64_t post_nms_top_n = 1000;  // per image
  double nms_threshold = 0.7;
  float min_size = 1e-3F;  // pixels
  ProposalScore score = ProposalScore::kProbability;
  bool joint_levels = false;  // top-k and NMS over all levels together
  BoxWeights weights = {};
};

struct Proposals {
  Tensor boxes;
  Tensor scores;
  Tensor count;
};

Proposals rpn_proposals(const std::vector<RpnLevel>& levels,
                        const std::vector<ImageSize>& image_sizes,
                        const RpnProposalParams& params = {});
Proposals rpn_proposals(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                        const RpnProposalParams& params = {});

namespace cpu {
struct RpnLevelView {
  AnchorGrid grid;
  int64_t count;              // H * W * A
  const float* logits;        // [images, count]
  const float* deltas;        // [images, count, 4]
  const float* base_anchors;  // [A, 4]
};

// boxes [images, P, 4], scores [images, P], count [images], all zero
void rpn_proposals(const std::vector<RpnLevelView>& levels,
                   const std::vector<ImageSize>& image_sizes, const RpnProposalParams& params,
                   float* boxes, float* scores, int32_t* count);
}  // namespace cpu

namespace cuda {
// The op itself on checked inputs: passes of several kernels (rpn_proposals_passes.h), NMS among
// them.
Proposals rpn_proposals(const std::vector<RpnLevel>& levels, const Tensor& image_sizes,
                        const RpnProposalParams& params, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
