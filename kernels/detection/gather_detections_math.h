// One row of the lists that gather_detections makes, shared by host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "kernels/detection/gather_detections.h"

namespace mrcnn {

// box [4] or null: a row that is not used has zeros and belongs to image -1.
HOST_DEVICE inline void store_roi(int64_t image, const float* box, float* roi) {
  roi[0] = box == nullptr ? -1.0F : static_cast<float>(image);
  for (int i = 0; i < 4; ++i) roi[1 + i] = box == nullptr ? 0.0F : box[i];
}

HOST_DEVICE inline int64_t clamp_index(int64_t value, int64_t highest) {
  return value < 0 ? 0 : value > highest ? highest : value;
}

// The candidate that belongs into slot `slot` of image `image`, or -1.
HOST_DEVICE inline int64_t gather_source(const GatherView& view, int64_t image, int64_t slot) {
  const int64_t used = clamp_index(view.count[image], view.keep_capacity);
  if (slot >= used || view.candidates == 0) return -1;
  const int64_t index = view.keep[image * view.keep_capacity + slot];
  return image * view.candidates + clamp_index(index, view.candidates - 1);
}

HOST_DEVICE inline void gather_slot(const GatherView& view, int64_t image, int64_t slot) {
  const int64_t source = gather_source(view, image, slot);
  const int64_t target = image * view.capacity + slot;
  const float* box = source < 0 ? nullptr : view.boxes + 4 * source;
  for (int i = 0; i < 4; ++i) view.out_boxes[4 * target + i] = box == nullptr ? 0.0F : box[i];
  view.out_scores[target] = source < 0 ? 0.0F : view.scores[source];
  if (view.out_labels != nullptr) view.out_labels[target] = source < 0 ? 0 : view.labels[source];
  if (view.out_rois != nullptr) store_roi(image, box, view.out_rois + 5 * target);
}

// Row `slot` of image `image` of proposal_rois.
HOST_DEVICE inline void gather_roi(int64_t capacity, int64_t image, int64_t slot,
                                   const float* boxes, const int32_t* count, float* rois) {
  const int64_t at = image * capacity + slot;
  store_roi(image, slot < count[image] ? boxes + 4 * at : nullptr, rois + 5 * at);
}

}  // namespace mrcnn
