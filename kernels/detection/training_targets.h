// training_targets: what the losses compare with, for the sampled boxes of a batch.
//   refs      [T, 4] or [N, T, 4]  f32: the boxes that were matched (anchors, proposals)
//   gt_boxes  [N, G, 4]            f32
//   gt_labels [N, G]               i32 classes from 1 on; undefined: every object is class 1
//   matched   [N, T]               i32 of match_boxes
//   samples                        of sample_matches: S boxes an image
//   returns, image by image, in the order of the samples:
//     rois           [N*S, 5]  f32 (image index, x1, y1, x2, y2); index -1 in unused rows
//     labels         [N*S]     i32 class, 0 background, -1 unused
//     deltas         [N*S, 4]  f32, encode_boxes of the matched object; 0 unless positive
//     matched_gt     [N*S]     i32, row of gt_boxes of the image; -1 unless positive
//     sample_weights [N*S]     f32, 1 / samples of the batch; 0 in unused rows
//     box_weights    [N*S]     f32, the same for positives, else 0
//     mask_weights   [N*S]     f32, 1 / (mask_elements * positives of the batch) for positives,
//     else 0
// Normalised by image, the weights are 1 / (N * samples of the image) and
// 1 / (N * mask_elements * positives of the image): the mean over the images of each one's mean. So
// a loss that sums weight * term is the mean that the reference takes, and 0 where there is
// nothing. An object or ref without area gives deltas that are no numbers; match_boxes matches none
// without `compat`. Indices that do not exist are an error on the CPU and unused rows on a GPU.
//
// positive_targets: the rows that regress boxes and masks.
//   max_positive: the most that sample_matches takes of an image
//   returns rois [M, 5], labels [M], matched_gt [M], mask_weights [M] as above, and
//     rows [M] i32: the row of the targets, -1 if unused
// On the CPU M is the number of positives. On a GPU, where nobody knows it, M is N * max_positive
// and what is left of an image's share is unused: image index -1, label -1, weight 0.
// Gradient: none.  Deterministic: yes, on a GPU with the CPU's bits but for log in deltas.
// Syncs host: no.  Capturable: yes.
// Source: Ren et al. 2015, sec. 3.1.2; Girshick 2015, sec. 2.3; torchvision 0.29
// models/detection/roi_heads.py, rpn.py (normalisers).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/box_math.h"
#include "kernels/detection/sample_matches.h"

namespace mrcnn {

enum class LossNormalisation { kBatch, kImage };

struct TargetParams {
  BoxWeights weights = {};
  LossNormalisation normalisation = LossNormalisation::kBatch;
  int64_t mask_elements = 1;  // terms of a mask's loss: 28 * 28, or 1 for a loss that takes means
};

struct TrainingTargets {
  Tensor rois;
  Tensor labels;
  Tensor deltas;
  Tensor matched_gt;
  Tensor sample_weights;
  Tensor box_weights;
  Tensor mask_weights;
};

TrainingTargets training_targets(const Tensor& refs, const Tensor& gt_boxes,
                                 const Tensor& gt_labels, const Tensor& matched,
                                 const SampledMatches& samples, const TargetParams& params);

struct PositiveTargets {
  Tensor rois;
  Tensor labels;
  Tensor matched_gt;
  Tensor mask_weights;
  Tensor rows;
};

PositiveTargets positive_targets(const TrainingTargets& targets, int64_t samples_per_image,
                                 int64_t max_positive);

struct TargetView {
  int64_t images;
  int64_t refs;         // T
  int64_t objects;      // G
  int64_t samples;      // S
  int64_t refs_stride;  // boxes from one image's refs to the next one's: 0 or T
  TargetParams params;
  const float* ref_boxes;       // [T, 4] or [images, T, 4]
  const float* gt_boxes;        // [images, G, 4]
  const int32_t* gt_labels;     // [images, G] or null
  const int32_t* matched;       // [images, T]
  const int32_t* indices;       // [images, S]
  const int32_t* num_positive;  // [images]
  const int32_t* num_negative;  // [images]
};

// Rows of TrainingTargets.
struct TargetRows {
  float* rois;
  int32_t* labels;
  float* deltas;
  int32_t* matched_gt;
  float* sample_weights;
  float* box_weights;
  float* mask_weights;
};

// Rows of PositiveTargets, and of the targets they come from.
struct PositiveView {
  int64_t images;
  int64_t samples;  // S
  int64_t max_positive;
  const float* rois;
  const int32_t* labels;
  const int32_t* matched_gt;
  const float* mask_weights;
  float* output_rois;
  int32_t* output_labels;
  int32_t* output_matched_gt;
  float* output_mask_weights;
  int32_t* output_rows;
};

namespace cpu {
void training_targets(const TargetView& view, const TargetRows& output);
// The outputs have as many rows as there are positives.
void positive_targets(const PositiveView& view);
}  // namespace cpu

namespace cuda {
void training_targets(const TargetView& view, const TargetRows& output, Stream stream);
// The outputs have images * max_positive rows.
void positive_targets(const PositiveView& view, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
