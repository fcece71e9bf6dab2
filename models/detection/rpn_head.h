// Region proposal head: objectness and box deltas per anchor, shared over levels.
// Source: Ren et al. 2015, "Faster R-CNN", sec. 3.1.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "layers/fused_conv2d.h"

namespace mrcnn {

struct RpnHeadLayers {
  std::vector<const Conv2d*> convs;  // 3x3, each followed by ReLU
  const Conv2d* logits = nullptr;    // 1x1 -> A
  const Conv2d* deltas = nullptr;    // 1x1 -> 4A
};

struct RpnOutput {
  std::vector<Tensor> logits;  // per level [N, h, w, A]
  std::vector<Tensor> deltas;  // per level [N, h, w, 4A], (dx, dy, dw, dh) of anchor 0 first
};

class RpnHead {
 public:
  explicit RpnHead(const RpnHeadLayers& layers);
  RpnOutput forward(const std::vector<Tensor>& maps) const;

 private:
  std::vector<PreparedConv2d> convs_;
  int64_t num_anchors_;
  PreparedConv2d predictor_;  // both 1x1 convolutions as one
};

}  // namespace mrcnn
