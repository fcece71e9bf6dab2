// Box head: class scores and box refinements of each RoI.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "kernels/linalg/linear.h"
#include "layers/fused_conv2d.h"
#include "layers/linear.h"

namespace mrcnn {

struct BoxHeadLayers {
  std::vector<ConvNorm> convs;          // 3x3 + ReLU; none in the two-layer head
  std::vector<const Linear*> fcs;       // each followed by ReLU
  const Linear* class_score = nullptr;  // -> K
  const Linear* box_deltas = nullptr;   // -> 4K
};

struct BoxHeadOutput {
  Tensor class_logits;  // [R, K]
  Tensor box_deltas;    // [R, 4K], class 0 first
};

class BoxHead {
 public:
  BoxHead(const BoxHeadLayers& layers, const Execution& execution);
  // features [R, 7, 7, C] -> [R, 5K], the class logits first
  Tensor forward_merged(const Tensor& features) const;
  // The same in two tensors.
  BoxHeadOutput forward(const Tensor& features) const;

 private:
  std::vector<PreparedConv2d> convs_;
  std::vector<PreparedLinear> fcs_;
  int64_t num_classes_;
  PreparedLinear predictor_;  // both outputs as one product
};

// The same from the layers' present parameters, recorded for gradients. labels [R] i32: RoIs with a
// negative one stay out of the norms' statistics.
BoxHeadOutput train_box_head(const BoxHeadLayers& layers, const Tensor& features,
                             const Tensor& labels, const Execution& execution);

}  // namespace mrcnn
