// select_candidates: the (RoI, class) pairs that go into the detections' NMS.
//   class_logits   [N, P, K]    f32, class 0 is background; on a GPU f32 or bf16
//   box_deltas     [N, P, 4*K]  same type, (dx, dy, dw, dh) of class 0 first; or undefined:
//                  class_logits is [N, P, 5*K] then, per RoI the logits and then the deltas
//   proposals      [N, P, 4]    f32 (x1, y1, x2, y2), pixels of the network's input image
//   proposal_count [N]          i32, proposals in use (the first ones), or undefined: all; values
//                  outside 0..P are an error on the CPU and taken as the nearest of them on a GPU
//   image_sizes                 N sizes (height, width) that boxes are clipped to, as a list or as
//                  a tensor [N, 2] f32 (image_sizes.h) on the device of the others
//   returns boxes [N, M, 4] f32, scores [N, M] f32, labels [N, M] i32, count [N] i32; zeros past
//           count
// Per RoI a softmax over the classes; a class 1..K-1 is a candidate if its probability is above
// the threshold (at or above without strict_greater) and the decoded, clipped box has both sides
// >= min_size. Candidates are ordered by RoI, then by class. Probabilities of NaN are no
// candidates.
// Exponentials are exp_f32; their sum is that of 32 partial sums, class c in number c % 32, added
// in a tree. So scores, and which pairs are selected, have the same bits on every device.
// M: on the CPU the largest count of any image, found first and allocated then. On a GPU
// P * max_candidates_per_roi, because the count is not known to the host.
// Gradient: none.  Deterministic: yes.  Syncs host: no.
// Capturable: yes, with image_sizes as a tensor; a list is uploaded.
// Source: Girshick 2015, Fast R-CNN; torchvision 0.29 models/detection/roi_heads.py
// postprocess_detections.
#pragma once

#include <cstdint>
#include <vector>

#include "core/dtype.h"
#include "core/stream.h"
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
Candidates select_candidates(const Tensor& class_logits, const Tensor& box_deltas,
                             const Tensor& proposals, const Tensor& proposal_count,
                             const Tensor& image_sizes, const CandidateParams& params = {});

// Probabilities add up to 1, so at most 1 / threshold classes of a RoI reach the threshold. One
// more than that pays for rounding: the sum is off by less than 1e-5, which could only make room
// for another class if the threshold were below 1e-5, and then K - 1 is the smaller bound.
int64_t max_candidates_per_roi(int64_t classes, float score_threshold);

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

namespace cuda {
struct CandidateGeometry {
  int64_t images;
  int64_t rois;           // per image, >= 1
  int64_t classes;        // >= 2
  int64_t slots;          // max_candidates_per_roi
  int64_t logits_stride;  // elements from one RoI's logits to the next
  int64_t deltas_stride;  // the same for deltas
  CandidateParams params;
};

// The lists of all images, `capacity` entries each: boxes [images, capacity, 4], the others
// [images, capacity].
struct CandidateLists {
  float* boxes;
  float* scores;
  int32_t* labels;
  int32_t* count;
};

// proposals [images, rois, 4]; proposal_count [images] or null; image_sizes [images, 2].
// capacity is rois * slots; `found` is scratch, its count [images, rois].
void select_candidates(const CandidateGeometry& geometry, const float* class_logits,
                       const float* box_deltas, const float* proposals,
                       const int32_t* proposal_count, const float* image_sizes,
                       const CandidateLists& found, const CandidateLists& output, Stream stream);
void select_candidates(const CandidateGeometry& geometry, const BFloat16* class_logits,
                       const BFloat16* box_deltas, const float* proposals,
                       const int32_t* proposal_count, const float* image_sizes,
                       const CandidateLists& found, const CandidateLists& output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
