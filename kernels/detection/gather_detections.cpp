#include "kernels/detection/gather_detections.h"

#include "kernels/detection/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "gather_detections";
constexpr const char* kRois = "proposal_rois";

using detection::kAny;
using detection::require_dtype;
using detection::require_shape;

void require(const char* op, const char* name, const Tensor& tensor, const char* form,
             std::initializer_list<int64_t> extents, DType dtype) {
  require_shape(op, name, tensor, form, extents);
  require_dtype(op, name, tensor, dtype);
}

void check_count(const char* op, const Tensor& count, int64_t capacity) {
  for (const int32_t value : count.span<const int32_t>()) {
    if (value < 0 || value > capacity) {
      throw ShapeError(fmt::format("[{}] count {} is not in 0..{}", op, value, capacity));
    }
  }
}

void check_keep(const NmsResult& kept, int64_t candidates) {
  const int64_t capacity = kept.keep.size(1);
  check_count(kOp, kept.count, capacity);
  for (int64_t n = 0; n < kept.keep.size(0); ++n) {
    for (int64_t i = 0; i < kept.count.data<const int32_t>()[n]; ++i) {
      const int32_t index = kept.keep.data<const int32_t>()[n * capacity + i];
      if (index < 0 || index >= candidates) {
        throw ShapeError(fmt::format("[{}] keep {} is not in 0..{}", kOp, index, candidates - 1));
      }
    }
  }
}

}  // namespace

Detections gather_detections(const Candidates& candidates, const NmsResult& kept) {
  require(kOp, "boxes", candidates.boxes, "[N,M,4]", {kAny, kAny, 4}, DType::kF32);
  const int64_t images = candidates.boxes.size(0);
  const int64_t limit = candidates.boxes.size(1);
  require(kOp, "scores", candidates.scores, "[N,M]", {images, limit}, DType::kF32);
  require(kOp, "labels", candidates.labels, "[N,M]", {images, limit}, DType::kI32);
  require(kOp, "keep", kept.keep, "[N,D]", {images, kAny}, DType::kI32);
  require(kOp, "count", kept.count, "[N]", {images}, DType::kI32);
  const Device device = common_device(
      kOp, {&candidates.boxes, &candidates.scores, &candidates.labels, &kept.keep, &kept.count});
  const int64_t capacity = kept.keep.size(1);
  if (device.is_cpu()) check_keep(kept, limit);
  const Detections result{.boxes = Tensor::empty({images, capacity, 4}, DType::kF32, device),
                          .scores = Tensor::empty({images, capacity}, DType::kF32, device),
                          .labels = Tensor::empty({images, capacity}, DType::kI64, device),
                          .count = kept.count,
                          .rois = Tensor::empty({images * capacity, 5}, DType::kF32, device)};
  const GatherView view{.images = images,
                        .candidates = limit,
                        .keep_capacity = capacity,
                        .capacity = capacity,
                        .boxes = candidates.boxes.pointer<const float>(),
                        .scores = candidates.scores.pointer<const float>(),
                        .labels = candidates.labels.pointer<const int32_t>(),
                        .keep = kept.keep.pointer<const int32_t>(),
                        .count = kept.count.pointer<const int32_t>(),
                        .out_boxes = result.boxes.pointer<float>(),
                        .out_scores = result.scores.pointer<float>(),
                        .out_labels = result.labels.pointer<int64_t>(),
                        .out_rois = result.rois.pointer<float>()};
  dispatch_device(
      kOp, device, [&] { cpu::gather_detections(view); },
      [&](Stream stream) { cuda::gather_detections(view, stream); });
  return result;
}

Tensor proposal_rois(const Tensor& boxes, const Tensor& count) {
  require(kRois, "boxes", boxes, "[N,P,4]", {kAny, kAny, 4}, DType::kF32);
  const int64_t images = boxes.size(0);
  const int64_t capacity = boxes.size(1);
  require(kRois, "count", count, "[N]", {images}, DType::kI32);
  const Device device = common_device(kRois, {&boxes, &count});
  if (device.is_cpu()) check_count(kRois, count, capacity);
  const Tensor rois = Tensor::empty({images * capacity, 5}, DType::kF32, device);
  dispatch_device(
      kRois, device,
      [&] {
        cpu::proposal_rois(images, capacity, boxes.pointer<const float>(),
                           count.pointer<const int32_t>(), rois.pointer<float>());
      },
      [&](Stream stream) {
        cuda::proposal_rois(images, capacity, boxes.pointer<const float>(),
                            count.pointer<const int32_t>(), rois.pointer<float>(), stream);
      });
  return rois;
}

}  // namespace mrcnn
