// Mask head: the probability map of each detection's own class. The other classes' maps are never
// computed: inference reads one of K.
// Source: He et al. 2017, "Mask R-CNN", fig. 4 right.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "kernels/conv/mask_predict.h"
#include "layers/fused_conv2d.h"

namespace mrcnn {

struct MaskHeadLayers {
  std::vector<ConvNorm> convs;                // 3x3 + ReLU
  const ConvTranspose2d* upsample = nullptr;  // 2x2 stride 2 + ReLU
  const Conv2d* logits = nullptr;             // 1x1 -> K
};

class MaskHead {
 public:
  MaskHead(const MaskHeadLayers& layers, const Execution& execution);
  // features [D, 14, 14, C], labels [D] i64 -> probabilities [D, 28, 28]
  Tensor forward(const Tensor& features, const Tensor& labels) const;

 private:
  std::vector<PreparedConv2d> convs_;
  PreparedMaskPredictor predictor_;
};

// The logits [D, 28, 28] of each RoI's own class from the layers' present parameters, recorded for
// gradients. labels [D] i32; -1 gives zeros and stays out of
// the norms' statistics.
Tensor train_mask_head(const MaskHeadLayers& layers, const Tensor& features, const Tensor& labels,
                       const Execution& execution);

}  // namespace mrcnn
