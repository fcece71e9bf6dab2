#include "models/mask_rcnn/roi_geometry.h"

namespace mrcnn {

RoiAlignParams roi_align_params(const MaskRcnnConfig& config, size_t num_maps, int64_t grid) {
  RoiAlignParams params{.pooled_height = grid,
                        .pooled_width = grid,
                        .sampling_ratio = config.roi.sampling_ratio,
                        .aligned = config.roi.aligned};
  // Scales of maps at strides 4, 8, 16, 32; the single map of the original system has stride 32.
  for (size_t level = 0; level < num_maps; ++level) {
    params.scales.push_back(config.fpn ? 0.25F / static_cast<float>(1 << level) : 1.0F / 32);
  }
  return params;
}

Tensor rescale_boxes(const Tensor& boxes, const ImageSize& from, const ImageSize& to) {
  const float ratio_y = static_cast<float>(to.height) / static_cast<float>(from.height);
  const float ratio_x = static_cast<float>(to.width) / static_cast<float>(from.width);
  Tensor scaled = Tensor::empty(boxes.shape());
  const float* in = boxes.data<const float>();
  float* out = scaled.data<float>();
  for (int64_t i = 0; i < boxes.numel(); ++i) out[i] = in[i] * (i % 2 == 0 ? ratio_x : ratio_y);
  return scaled;
}

}  // namespace mrcnn
