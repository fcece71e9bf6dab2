// append_boxes: two lists of boxes per image as one. The box head learns from the proposals and the
// ground-truth boxes.
//   boxes       [N, P, 4]  f32
//   count       [N]        i32, valid rows of boxes
//   extra       [N, G, 4]  f32
//   extra_count [N]        i32, valid rows of extra
//   returns
//     boxes [N, P + G, 4]  the valid rows of boxes, then those of extra, then zeros
//     count [N]            i32
// Counts outside 0..P and 0..G are an error on the CPU and are clamped on a GPU.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 models/detection/roi_heads.py, add_gt_proposals.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct BoxLists {
  Tensor boxes;
  Tensor count;
};

BoxLists append_boxes(const Tensor& boxes, const Tensor& count, const Tensor& extra,
                      const Tensor& extra_count);

struct AppendView {
  int64_t images;
  int64_t capacity;            // P
  int64_t extra_capacity;      // G
  const float* boxes;          // [images, P, 4]
  const int32_t* count;        // [images]
  const float* extra;          // [images, G, 4]
  const int32_t* extra_count;  // [images]
  float* output;               // [images, P + G, 4]
  int32_t* output_count;       // [images]
};

namespace cpu {
void append_boxes(const AppendView& view);
}  // namespace cpu

namespace cuda {
void append_boxes(const AppendView& view, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
