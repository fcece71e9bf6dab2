// select_candidates: the (RoI, class) pairs that go into the detections' NMS.
//   class_logits   [N, P, K]    f32, class 0 is background
//   box_deltas     [N, P, 4*K]  f32, (dx, dy, dw, dh) of class 0 first
//   proposals      [N, P, 4]    f32 (x1, y1, x2, y2), pixels of the network's input image
//   proposal_count [N]          i32, proposals in use (the first ones), or undefined: all
//   image_sizes                 N sizes (height, width) that boxes are clipped to
//   returns boxes [N, M, 4] f32, scores [N, M] f32, labels [N, M] i32, count [N] i32; zeros past
//           count
// Per RoI a softmax over the classes; a class 1..K-1 is a candidate if its probability is above
// the threshold (at or above without strict_greater) and the decoded, clipped box has both sides
// >= min_size. Candidates are ordered by RoI, then by class. Probabilities of NaN are no
// candidates. M is the largest count of any image: candidates are found first and the outputs
// allocated then, because P * (K - 1) boxes would be mostly empty. A device implementation needs a
// fixed M. Gradient: none.  Deterministic: yes.  Syncs host: yes (M).  Capturable: no. Source:
// Girshick 2015, Fast R-CNN; torchvision 0.29 models/detection/roi_heads.py postprocess_detections.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "kernels/detection/box_coder.h"
#include "kernels/image/resized_size.h"

namespace mrcnn {

struct CandidateParams {
  float score_threshold = 0.05F;
  bool strict_greater = true;  // the original system keeps a score equal to the threshold
  float min_size = 1e-2F;      // pixels
  BoxWeights weights = kBoxHeadWeights;
};

struct Candidates {
  Tensor boxes;
  Tensor scores;
  Tensor labels;
  Tensor count;
};

Candidates select_candidates(const Tensor& class_logits, const Tensor& box_deltas,
                             const Tensor& proposals, const Tensor& proposal_count,
                             const std::vector<ImageSize>& image_sizes,
                             const CandidateParams& params = {});

namespace cpu {
struct Candidate {
  Box box;
  float score;
  int32_t label;
};

// class_logits [count, classes], box_deltas [count, 4*classes], proposals [count, 4], of one image
std::vector<Candidate> select_candidates(int64_t count, int64_t classes, const ImageSize& image,
                                         const CandidateParams& params, const float* class_logits,
                                         const float* box_deltas, const float* proposals);
}  // namespace cpu
}  // namespace mrcnn
