// match_boxes: which ground-truth object each reference box (anchor, proposal) is for.
//   refs      [T, 4]     f32 (x1, y1, x2, y2), the same for all images (anchors), or
//             [N, T, 4]  f32, each image's own (proposals)
//   ref_count [N]        i32, valid rows of refs; undefined: all
//   gt_boxes  [N, G, 4]  f32, pixels like refs
//   gt_count  [N]        i32, valid rows of gt_boxes
//   returns   [N, T]     i32: row of the matched object, kBackground or kIgnored
// A ref is matched with the object of largest IoU (box_iou of iou.h; the first on ties): an IoU of
// at least fg_threshold matches, one below bg_threshold is background, in between the ref is
// ignored. With low_quality, every ref whose IoU with an object equals that object's best is
// matched as well, with the ref's own object of largest IoU. Rows past ref_count are ignored and
// take no part. An image without objects is all background. A box with NaN overlaps nothing. Unlike
// torchvision, an object that no ref overlaps (a box without area) matches nobody, where there
// every ref that has IoU 0 with it is matched; `compat` brings that back. IoU of two boxes without
// area is 0, not NaN. Counts outside 0..T and 0..G are an error on the CPU and are clamped on a
// GPU. Gradient: none.  Deterministic: yes, the same bits on both devices.  Syncs host: no.
// Capturable: yes.
// Source: Ren et al. 2015, Faster R-CNN, sec. 3.1.2; torchvision 0.29 models/detection/_utils.py,
// Matcher.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

inline constexpr int32_t kBackground = -1;
inline constexpr int32_t kIgnored = -2;

struct MatchParams {
  float fg_threshold = 0.5F;
  float bg_threshold = 0.5F;
  bool low_quality = false;
  bool compat = false;
};

Tensor match_boxes(const Tensor& refs, const Tensor& ref_count, const Tensor& gt_boxes,
                   const Tensor& gt_count, const MatchParams& params);

struct MatchView {
  int64_t images;
  int64_t refs;              // T
  int64_t objects;           // G
  int64_t refs_stride;       // boxes from one image's refs to the next one's: 0 or T
  const float* ref_boxes;    // [T, 4] or [images, T, 4]
  const int32_t* ref_count;  // [images] or null
  const float* gt_boxes;     // [images, G, 4]
  const int32_t* gt_count;   // [images]
  int32_t* matched;          // [images, T]
};

namespace cpu {
void match_boxes(const MatchView& view, const MatchParams& params);
}  // namespace cpu

namespace cuda {
// gt_best [images, G], zero before: bits of each object's best IoU. Used with low_quality.
void match_boxes(const MatchView& view, const MatchParams& params, int32_t* gt_best, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
