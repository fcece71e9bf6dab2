// One row of training_targets, shared by host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"
#include "kernels/detection/training_targets.h"

namespace mrcnn {

// What a row of an image weighs.
struct TargetWeights {
  float sample;
  float mask;
};

HOST_DEVICE inline float share_of(int64_t count, int64_t parts) {
  return count == 0 ? 0.0F : 1.0F / (static_cast<float>(count) * static_cast<float>(parts));
}

HOST_DEVICE inline TargetWeights target_weights(const TargetView& view, int64_t image) {
  const bool by_image = view.params.normalisation == LossNormalisation::kImage;
  int64_t positives = 0;
  int64_t samples = 0;
  for (int64_t n = by_image ? image : 0; n < (by_image ? image + 1 : view.images); ++n) {
    positives += view.num_positive[n];
    samples += view.num_positive[n] + view.num_negative[n];
  }
  const int64_t parts = by_image ? view.images : 1;
  return {share_of(samples, parts), share_of(positives, parts * view.params.mask_elements)};
}

struct Deltas {
  float values[4];
};

struct TargetRow {
  float image;  // -1: unused
  Box box;
  int32_t label;
  int32_t matched_gt;
  Deltas deltas;
};

HOST_DEVICE inline Box box_at(const float* boxes, int64_t index) {
  const float* box = boxes + 4 * index;
  return {box[0], box[1], box[2], box[3]};
}

HOST_DEVICE inline TargetRow target_row(const TargetView& view, int64_t image, int64_t sample) {
  TargetRow row{-1, {}, -1, -1, {}};
  const int64_t index = view.indices[image * view.samples + sample];
  if (index < 0 || index >= view.refs) return row;
  row.image = static_cast<float>(image);
  row.box = box_at(view.ref_boxes, image * view.refs_stride + index);
  row.label = 0;
  const int64_t object = view.matched[image * view.refs + index];
  if (object < 0 || object >= view.objects) return row;
  const int64_t gt = image * view.objects + object;
  row.label = view.gt_labels == nullptr ? 1 : view.gt_labels[gt];
  row.matched_gt = static_cast<int32_t>(object);
  encode_box(box_at(view.gt_boxes, gt), row.box, view.params.weights, row.deltas.values);
  return row;
}

}  // namespace mrcnn
