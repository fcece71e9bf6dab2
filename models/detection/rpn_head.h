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

// Per level. A GPU leaves the two parts in one map, which the proposals read as it is.
struct RpnOutput {
  std::vector<Tensor> logits;  // [N, h, w, A]
  std::vector<Tensor> deltas;  // [N, h, w, 4A], (dx, dy, dw, dh) of anchor 0 first
  std::vector<Tensor> merged;  // [N, h, w, 5A], logits first
};

class RpnHead {
 public:
  RpnHead(const RpnHeadLayers& layers, const Execution& execution);
  RpnOutput forward(const std::vector<Tensor>& maps) const;

 private:
  std::vector<PreparedConv2d> convs_;
  int64_t num_anchors_;
  PreparedConv2d predictor_;  // both 1x1 convolutions as one
};

// The same from the layers' present parameters, recorded for gradients; never merged.
RpnOutput train_rpn_head(const RpnHeadLayers& layers, const std::vector<Tensor>& maps,
                         const Execution& execution);

}  // namespace mrcnn
