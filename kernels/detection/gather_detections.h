// gather_detections: the boxes that non-maximum suppression kept, as lists of a fixed size.
//   candidates   boxes [N, M, 4] f32, scores [N, M] f32, labels [N, M] i32
//   kept         keep [N, D] i32 (indices into an image's candidates), count [N] i32
//   returns boxes [N, D, 4] f32, scores [N, D] f32, labels [N, D] i64, count [N] i32 (shared with
//           `kept`) in the order of keep; zeros past count
//           rois [N*D, 5] f32 (image index, x1, y1, x2, y2): the same boxes for roi_align; past
//           count the image index is -1, which roi_align turns into zeros
// proposal_rois: the same list for proposals.
//   boxes   [N, P, 4] f32, count [N] i32
//   returns rois [N*P, 5] f32
// Counts and indices that do not fit throw on the CPU; on a GPU a count is clamped to 0..D, an
// index to 0..M-1.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/candidates.h"
#include "kernels/detection/nms.h"

namespace mrcnn {

struct Detections {
  Tensor boxes;
  Tensor scores;
  Tensor labels;
  Tensor count;
  Tensor rois;
};

Detections gather_detections(const Candidates& candidates, const NmsResult& kept);
Tensor proposal_rois(const Tensor& boxes, const Tensor& count);

// What gather_detections reads and writes.
struct GatherView {
  int64_t images;
  int64_t candidates;     // M
  int64_t keep_capacity;  // row length of keep
  int64_t capacity;       // D >= keep_capacity: row length of the outputs
  const float* boxes;     // [images, candidates, 4]
  const float* scores;    // [images, candidates]
  const int32_t* labels;  // [images, candidates] or null
  const int32_t* keep;    // [images, keep_capacity]
  const int32_t* count;   // [images]
  float* out_boxes;       // [images, capacity, 4]
  float* out_scores;      // [images, capacity]
  int64_t* out_labels;    // [images, capacity], null if labels is
  float* out_rois;        // [images * capacity, 5] or null
};

namespace cpu {
void gather_detections(const GatherView& view);
// boxes [images, capacity, 4], count [images], rois [images * capacity, 5]
void proposal_rois(int64_t images, int64_t capacity, const float* boxes, const int32_t* count,
                   float* rois);
}  // namespace cpu

namespace cuda {
void gather_detections(const GatherView& view, Stream stream);
void proposal_rois(int64_t images, int64_t capacity, const float* boxes, const int32_t* count,
                   float* rois, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
