// mask_predict: the end of a mask head, for the predicted class only: a transposed convolution with
// ReLU, then the 1x1 convolution's one output that belongs to the detection's label.
//   H hidden channels, K classes
//   input         [D, h, w, C]     f32; on a GPU f32 or bf16
//   labels        [D]              i64, 0..K-1; on a GPU others are taken as the nearest of these
//   deconv_weight [H, KH, KW, C],  deconv_bias [H] f32 or undefined
//   logit_weight  [K, H] or [K, 1, 1, H],  logit_bias [K] f32 or undefined
//   returns       [D, h * KH, w * KW]  f32 probabilities (sigmoid of the logits) or logits
// Weights have the input's type; logit_weight may be f32 beside bf16. Computes one class of K. The
// hidden map (80 MB for 100 detections of 28x28x256 in f32) exists block by block on the CPU, all
// of it on a GPU, in the input's type and in the order of the product: the pixel shuffle, the
// product with the label's row, bias and sigmoid are one kernel that reads it once.
// Gradient: none (inference).  Accumulates in f32.
// Deterministic: yes, for a given CPU or GPU type.  Syncs host: no.
// Capturable: after a first run of the same shape outside the capture.
// Source: He et al. 2017, "Mask R-CNN", sec. 3 (a mask per class, chosen by the label) and fig. 4.
#pragma once

#include <memory>

#include "core/host_device.h"
#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

enum class MaskOutput { kProbabilities, kLogits };

// Weights are packed once, for the device they are on. run() may be called from several threads.
class PreparedMaskPredictor {
 public:
  // tf32: on a GPU, products of f32 with 10 bits of mantissa; ignored elsewhere.
  PreparedMaskPredictor(const Tensor& deconv_weight, const Tensor& deconv_bias,
                        const Tensor& logit_weight, const Tensor& logit_bias, bool tf32 = false);
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

struct MaskPredictGeometry {
  int64_t detections = 0, height = 0, width = 0;  // of the input
  int64_t kernel_h = 0, kernel_w = 0;
  int64_t hidden = 0, classes = 0;
  MaskOutput output = MaskOutput::kProbabilities;

  HOST_DEVICE int64_t pixels() const { return detections * height * width; }
  HOST_DEVICE int64_t taps() const { return kernel_h * kernel_w; }
};

namespace cpu {
// hidden [count, KH, KW, H]: of the flat input pixels [first, first + count)
// labels [D], logit_weight [K, H], logit_bias [K] or nullptr, output [D, h * KH, w * KW]
void mask_predict(const MaskPredictGeometry& g, int64_t first, int64_t count, const float* hidden,
                  const int64_t* labels, const float* logit_weight, const float* logit_bias,
                  float* output);
}  // namespace cpu

namespace cuda {
// hidden [D * h * w, KH, KW, H]. For (float, float), (BFloat16, BFloat16) and (BFloat16, float).
template <typename T, typename Weight>
void mask_predict(const MaskPredictGeometry& g, const T* hidden, const int64_t* labels,
                  const Weight* logit_weight, const float* logit_bias, float* output,
                  Stream stream);
}  // namespace cuda
}  // namespace mrcnn
