// mask_predict: the end of a mask head, for the predicted class only: a transposed convolution with
// ReLU, then the 1x1 convolution's one output that belongs to the detection's label.
//   H hidden channels, K classes
//   input         [D, h, w, C]     f32
//   labels        [D]              i64, 0..K-1
//   deconv_weight [H, KH, KW, C],  deconv_bias [H] or undefined
//   logit_weight  [K, H] or [K, 1, 1, H],  logit_bias [K] or undefined
//   returns       [D, h * KH, w * KW]  probabilities (sigmoid of the logits) or logits
// Computes one class of K, and the hidden map (80 MB for 100 detections of 28x28x256) only block by
// block.
// Gradient: none (inference).  Accumulates in f32.
// Deterministic: yes, for a given CPU type.  Syncs host: no.
// Source: He et al. 2017, "Mask R-CNN", sec. 3 (a mask per class, chosen by the label) and fig. 4.
#pragma once

#include <memory>

#include "core/tensor.h"

namespace mrcnn {

enum class MaskOutput { kProbabilities, kLogits };

// Weights are packed once. run() may be called from several threads.
class PreparedMaskPredictor {
 public:
  PreparedMaskPredictor(const Tensor& deconv_weight, const Tensor& deconv_bias,
                        const Tensor& logit_weight, const Tensor& logit_bias);
  ~PreparedMaskPredictor();
  PreparedMaskPredictor(PreparedMaskPredictor&&) noexcept;
  PreparedMaskPredictor& operator=(PreparedMaskPredictor&&) noexcept;

  Tensor run(const Tensor& input, const Tensor& labels,
             MaskOutput output = MaskOutput::kProbabilities) const;

  int64_t flops(const Shape& input) const;  // of what is computed: 2 per multiply and add

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrcnn
