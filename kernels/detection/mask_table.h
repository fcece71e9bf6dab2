// The masks of a batch's objects as run lengths in tensors, so that they can lie on a GPU: a
// batch's masks take some 100 KB where bitmaps of the network's input size take 100 MB.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "kernels/image/image_placement.h"

namespace mrcnn {

inline constexpr int64_t kMaskImageFields = 9;

struct MaskTable {
  Tensor ends;     // [runs] i32: where each run ends, column-major in its mask; mask by mask
  Tensor offsets;  // [N * G + 1] i32: the runs of mask i are offsets[i]..offsets[i + 1]
  Tensor images;   // [N, 9] i32: height and width of the photo, of the resized one, of its visible
                   // part, crop_top, crop_left, flip
  int64_t objects = 0;  // G, masks per image; those that are not there have no runs
};

// masks[n]: the objects of image n in the order of its gt_boxes, at the photo's size; all images
// have room for `objects`. On the CPU. Throws ShapeError if they do not fit.
MaskTable make_mask_table(std::span<const std::vector<Rle>> masks,
                          std::span<const ImagePlacement> placements, int64_t objects);

// To a GPU it is a queued upload, so it does not belong in a capture.
MaskTable copy_to(const MaskTable& table, Device device);

}  // namespace mrcnn
