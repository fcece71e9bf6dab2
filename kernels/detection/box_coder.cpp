#include "kernels/detection/box_coder.h"

#include "core/dispatch.h"
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
  const Device device = common_device(kOp, {&deltas, &refs});
  const Tensor output = Tensor::empty(deltas.shape(), DType::kF32, device);
  const int64_t classes = deltas.size(1) / 4;
  const auto* delta = deltas.pointer<const float>();
  const auto* ref = refs.pointer<const float>();
  auto* box = output.pointer<float>();
  dispatch_device(
      kOp, device, [&] { cpu::decode_boxes(refs.size(0), classes, weights, delta, ref, box); },
      [&](Stream stream) {
        cuda::decode_boxes(refs.size(0), classes, weights, delta, ref, box, stream);
      });
  return output;
}

Tensor encode_boxes(const Tensor& boxes, const Tensor& refs, const BoxWeights& weights) {
  constexpr const char* kOp = "encode_boxes";
  require_f32(kOp, "refs", refs, "[M,4]", {kAny, 4});
  require_f32(kOp, "boxes", boxes, "[M,4]", {refs.size(0), 4});
  require_weights(kOp, weights);
  const Device device = common_device(kOp, {&boxes, &refs});
  const Tensor output = Tensor::empty(boxes.shape(), DType::kF32, device);
  const auto* box = boxes.pointer<const float>();
  const auto* ref = refs.pointer<const float>();
  auto* delta = output.pointer<float>();
  dispatch_device(
      kOp, device, [&] { cpu::encode_boxes(refs.size(0), weights, box, ref, delta); },
      [&](Stream stream) { cuda::encode_boxes(refs.size(0), weights, box, ref, delta, stream); });
  return output;
}

Tensor clip_boxes(const Tensor& boxes, float image_height, float image_width) {
  constexpr const char* kOp = "clip_boxes";
  if (!boxes.defined() || boxes.rank() < 1 || boxes.size(-1) != 4) {
    throw ShapeError(fmt::format("[{}] boxes must be [...,4]: {}", kOp, boxes.describe()));
  }
  detection::require_dtype(kOp, "boxes", boxes, DType::kF32);
  if (!(image_height >= 0 && image_width >= 0)) {
    throw ShapeError(fmt::format("[{}] image size must not be negative: {} x {}", kOp, image_height,
                                 image_width));
  }
  const Tensor output = Tensor::empty(boxes.shape(), DType::kF32, boxes.device());
  const int64_t count = boxes.numel() / 4;
  const auto* box = boxes.pointer<const float>();
  auto* clipped = output.pointer<float>();
  dispatch_device(
      kOp, boxes.device(), [&] { cpu::clip_boxes(count, image_height, image_width, box, clipped); },
      [&](Stream stream) {
        cuda::clip_boxes(count, image_height, image_width, box, clipped, stream);
      });
  return output;
}

}  // namespace mrcnn
