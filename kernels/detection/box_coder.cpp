#include "kernels/detection/box_coder.h"

#include "kernels/detection/checks.h"

namespace mrcnn {

using detection::kAny;
using detection::require_f32;
using detection::require_weights;

Tensor decode_boxes(const Tensor& deltas, const Tensor& refs, const BoxWeights& weights) {
  constexpr const char* kOp = "decode_boxes";
  require_f32(kOp, "refs", refs, "[M,4]", {kAny, 4});
  require_f32(kOp, "deltas", deltas, "[M,4*K]", {refs.size(0), kAny});
  if (deltas.size(1) % 4 != 0) {
    throw ShapeError(fmt::format("[{}] deltas must be [M,4*K]: {}", kOp, deltas.describe()));
  }
  require_weights(kOp, weights);
  Tensor output = Tensor::empty(deltas.shape());
  cpu::decode_boxes(refs.size(0), deltas.size(1) / 4, weights, deltas.data<const float>(),
                    refs.data<const float>(), output.data<float>());
  return output;
}

Tensor encode_boxes(const Tensor& boxes, const Tensor& refs, const BoxWeights& weights) {
  constexpr const char* kOp = "encode_boxes";
  require_f32(kOp, "refs", refs, "[M,4]", {kAny, 4});
  require_f32(kOp, "boxes", boxes, "[M,4]", {refs.size(0), 4});
  require_weights(kOp, weights);
  Tensor output = Tensor::empty(boxes.shape());
  cpu::encode_boxes(refs.size(0), weights, boxes.data<const float>(), refs.data<const float>(),
                    output.data<float>());
  return output;
}

Tensor clip_boxes(const Tensor& boxes, float image_height, float image_width) {
  constexpr const char* kOp = "clip_boxes";
  if (!boxes.defined() || boxes.rank() < 1 || boxes.size(-1) != 4) {
    throw ShapeError(fmt::format("[{}] boxes must be [...,4]: {}", kOp, boxes.describe()));
  }
  detection::require_dtype(kOp, "boxes", boxes, DType::kF32);
  require_cpu(kOp, {&boxes});
  if (!(image_height >= 0 && image_width >= 0)) {
    throw ShapeError(fmt::format("[{}] image size must not be negative: {} x {}", kOp, image_height,
                                 image_width));
  }
  Tensor output = Tensor::empty(boxes.shape());
  cpu::clip_boxes(boxes.numel() / 4, image_height, image_width, boxes.data<const float>(),
                  output.data<float>());
  return output;
}

}  // namespace mrcnn
