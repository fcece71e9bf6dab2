// Constants of the RoI heads, and the way of boxes back to the original image.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "kernels/detection/roi_align.h"
#include "kernels/image/resized_size.h"
#include "models/mask_rcnn/config.h"

namespace mrcnn {

inline constexpr int64_t kBoxGrid = 7;  // RoIAlign output of the box head (He et al. 2017, fig. 4)
inline constexpr int64_t kMaskGrid = 14;  // and of the mask head
inline constexpr int64_t kMaskSize = 28;  // mask resolution

RoiAlignParams roi_align_params(const MaskRcnnConfig& config, size_t num_maps, int64_t grid);

// boxes [D, 4] f32 on the CPU, from pixels of an image of size `from` to those of an image of size
// `to`. Each axis has its own ratio, in f32 as in the references.
Tensor rescale_boxes(const Tensor& boxes, const ImageSize& from, const ImageSize& to);

}  // namespace mrcnn
