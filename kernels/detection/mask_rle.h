// mask to RLE: the run lengths of an object's mask at image size, without the image.
//   probs   [D, M, M]  f32, probabilities inside the box
//   boxes   [D, 4]     f32 (x1, y1, x2, y2), pixels of the H x W image
//   returns D run-length encodings of the image's size
// Equal, run by run, to encoding paste_mask(...) > threshold (mask_paste.h), on both devices.
// Columns of the clipped box are walked; on the CPU, inside a column the value between two source
// rows is linear, so only pixels whose comparison rounding could decide are computed one by one.
// Gradient: none.  Deterministic: yes.  Syncs host: once (the result's size), twice when masks on a
// GPU have more runs than there was room for.  Capturable: no; queue_mask_runs: yes.
// Source: torchvision 0.29 models/detection/roi_heads.py (pasting); COCO API maskApi.c (encoding).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/rle.h"
#include "core/stream.h"
#include "core/tensor.h"
#include "kernels/detection/mask_threshold.h"

namespace mrcnn {

std::vector<Rle> masks_to_rle(const Tensor& probs, const Tensor& boxes, int64_t height,
                              int64_t width, const MaskThreshold& params = {});

// The GPU's half of masks_to_rle, for callers that download more in the same wait.
// Starts of runs are the positions whose pixel differs from the one before; before position 0 is
// background. Images of at most 2^31 - 1 pixels.
struct MaskRuns {
  Tensor counts;  // [D] i32, starts of each mask
  Tensor starts;  // [room] i32, ascending, mask by mask; what does not fit is left out
};
MaskRuns queue_mask_runs(const Tensor& probs, const Tensor& boxes, int64_t height, int64_t width,
                         const MaskThreshold& params = {});

// From the two tensors on the CPU. Nothing if not all starts had room.
std::optional<std::vector<Rle>> runs_to_rle(const MaskRuns& runs, int64_t height, int64_t width);

namespace cpu {
// probs [mask_size, mask_size], box [4]
Rle mask_to_rle(const MaskGeometry& g, const float* probs, const float* box);
}  // namespace cpu

namespace cuda {
// column_counts [D, W]: starts that each column of the box writes; others are left as they are.
// counts [D], zero before: their sums.
void mask_rle_count(const MaskGeometry& g, const float* probs, const float* boxes,
                    int32_t* column_counts, int32_t* counts, Stream stream);
// starts [room]
void mask_rle_write(const MaskGeometry& g, const float* probs, const float* boxes,
                    const int32_t* column_counts, const int32_t* counts, int64_t room,
                    int32_t* starts, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
