// mask_targets: the part of an object's mask that lies in a RoI, at the size the mask head
// predicts.
//   rois       [M, 5]  f32 (image index, x1, y1, x2, y2), pixels of the network's input image
//   matched_gt [M]     i32, the object's row in its image; -1: unused
//   masks              the batch's masks (mask_table.h), on the same device
//   size               rows and columns of a target
//   returns    [M, size, size]  f32 in 0..1, not thresholded
// What roi_align gives with scale 1, adaptive sampling and aligned = false for the mask as a map of
// zeros and ones at the network's input size; there it would be mirrored, resized to the nearest
// pixel and cut like the image. No such map is made: a sample's four pixels are traced back to the
// photo, where the runs of one column tell for all rows of a bin at once which are in the mask.
// Unused rows, rows of images or objects that do not exist and RoIs with NaN give zeros.
// Gradient: none (targets are constants of the losses).  Deterministic: yes, the same bits on both
// devices.  Syncs host: no.  Capturable: yes.
// Source: He et al. 2017, sec. 3; torchvision 0.29 models/detection/roi_heads.py,
// project_masks_on_boxes, and transform.py (nearest resizing).
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/mask_table.h"

namespace mrcnn {

Tensor mask_targets(const Tensor& rois, const Tensor& matched_gt, const MaskTable& masks,
                    int64_t size = 28);

struct MaskTargetView {
  int64_t count;  // M
  int64_t size;
  int64_t images;             // N
  int64_t objects;            // G
  const float* rois;          // [M, 5]
  const int32_t* matched_gt;  // [M]
  const int32_t* ends;        // [runs]
  const int32_t* offsets;     // [N * G + 1]
  const int32_t* geometry;    // [N, 9], MaskTable::images
};

namespace cpu {
// output [M, size, size]
void mask_targets(const MaskTargetView& view, float* output);
}  // namespace cpu

namespace cuda {
void mask_targets(const MaskTargetView& view, float* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
