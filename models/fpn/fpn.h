// Necks: what stands between the body and the heads.
// Source: Lin et al. 2017, "Feature pyramid networks"; torchvision ops/feature_pyramid_network.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "layers/fused_conv2d.h"

namespace mrcnn {

struct FpnLayers {
  std::vector<ConvNorm> inner_blocks;  // 1x1 laterals, finest level first
  std::vector<ConvNorm> layer_blocks;  // 3x3 outputs
};

// Also serves a single map: one lateral and one output, no top-down path.
class Fpn {
 public:
  Fpn(const FpnLayers& layers, bool extra_level, const Execution& execution);

  // Body maps, finest first, one per lateral -> maps [N, h, w, 256], finest first; with
  // extra_level one more at half the resolution of the last (every second pixel).
  std::vector<Tensor> forward(const std::vector<Tensor>& maps) const;

 private:
  std::vector<PreparedConv2d> inner_;
  std::vector<PreparedConv2d> layer_;
  bool extra_level_;
};

// The same maps from the layers' present parameters, recorded for gradients (layers/training.h).
std::vector<Tensor> train_fpn(const FpnLayers& layers, bool extra_level,
                              const std::vector<Tensor>& maps, const Execution& execution);

}  // namespace mrcnn
