// ResNet body: stem and four stages, in inference and in training.
// Source: He et al. 2016, "Deep residual learning"; torchvision's v1.5 stride placement.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "layers/fused_conv2d.h"

namespace mrcnn {

struct ResidualBlockLayers {
  std::vector<ConvNorm> convs;  // 2 (basic) or 3 (bottleneck)
  ConvNorm downsample;          // conv is nullptr where the shortcut is the identity
};

struct ResNetLayers {
  ConvNorm stem;
  std::array<std::vector<ResidualBlockLayers>, 4> stages;
};

class ResNet {
 public:
  // Packs the loaded parameters; the layers are not needed afterwards. input_channels: of the
  // batch, 3 or more; what lies beyond the third is multiplied by zero.
  ResNet(const ResNetLayers& layers, const Execution& execution, int64_t input_channels);

  // batch [N, H, W, input_channels] -> C2..C5 [N, H/4, W/4, .] .. [N, H/32, W/32, .]; H and W
  // multiples of 32. Maps that the caller does not need are dropped as soon as the next stage has
  // used them: only stages >= first_kept (0 = C2) are returned.
  std::vector<Tensor> forward(const Tensor& batch, int first_kept) const;

 private:
  struct Block {
    std::vector<PreparedConv2d> convs;
    std::optional<PreparedConv2d> downsample;
    Tensor forward(Tensor input) const;
  };

  PreparedConv2d stem_;
  std::array<std::vector<Block>, 4> stages_;
};

// The same maps from the layers' present parameters, recorded for gradients (layers/training.h).
std::vector<Tensor> train_resnet(const ResNetLayers& layers, const Tensor& batch, int first_kept,
                                 const Execution& execution);

}  // namespace mrcnn
