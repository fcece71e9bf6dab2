// nms: non-maximum suppression, greedy by score, within groups (levels or classes) of each image.
//   boxes   [N, M, 4]  f32 (x1, y1, x2, y2)
//   scores  [N, M]     f32
//   groups  [N, M]     i32, or undefined: one group per image
//   count   [N]        i32, boxes in use per image (the first ones), or undefined: all
//   returns keep [N, K'] i32 and count [N] i32: indices into the image's boxes, best score first,
//           over all groups; K' = min(max_keep, M); entries past count are 0
// A box is dropped if its IoU with a better kept box of its group is strictly above the threshold.
// Equal scores (-0 equals +0) keep the order of indices; NaN scores come last.
// IoU = inter / (area_a + area_b - inter) in f32, areas (x2 - x1) * (y2 - y1). An IoU that is NaN
// (a NaN coordinate, two boxes without area) suppresses nothing.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: torchvision 0.29 ops/cpu/nms_kernel.cpp (arithmetic, strict >), boxes.py batched_nms
// (groups; ours are exact, without the coordinate offsets it uses for few boxes).
#pragma once

#include <cstdint>
#include <limits>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

struct NmsParams {
  double iou_threshold = 0.5;                                        // >= 0
  int64_t max_keep = std::numeric_limits<int64_t>::max();            // per image
  int64_t max_keep_per_group = std::numeric_limits<int64_t>::max();  // per image and group
  // No group is expected to have more boxes. On a GPU it bounds the memory; a larger group gives
  // the same result, slower.
  int64_t max_group_size = std::numeric_limits<int64_t>::max();
};

struct NmsResult {
  Tensor keep;
  Tensor count;
};

NmsResult nms(const Tensor& boxes, const Tensor& scores, const Tensor& groups, const Tensor& count,
              const NmsParams& params = {});

// What the implementations get.
struct NmsGeometry {
  int64_t images;
  int64_t boxes;     // M
  int64_t capacity;  // K'
  NmsParams params;
};

namespace cpu {
// boxes [images, boxes, 4]; scores, groups (or null) [images, boxes]; count (or null) [images];
// keep [images, capacity], zero; kept [images]
void nms(const NmsGeometry& geometry, const float* boxes, const float* scores,
         const int32_t* groups, const int32_t* count, int32_t* keep, int32_t* kept);
}  // namespace cpu

namespace cuda {
// As cpu::nms; writes all of keep and kept. boxes must be 16-byte aligned. Counts outside 0..M are
// taken as the nearest of them. `workspace` has nms_workspace_bytes, is 256-byte aligned and need
// not be initialised.
int64_t nms_workspace_bytes(const NmsGeometry& geometry);
void nms(const NmsGeometry& geometry, const float* boxes, const float* scores,
         const int32_t* groups, const int32_t* count, int32_t* keep, int32_t* kept, void* workspace,
         Stream stream);
}  // namespace cuda
}  // namespace mrcnn
