#include "kernels/detection/training_targets.h"

#include <algorithm>

#include "kernels/detection/training_targets_math.h"

namespace mrcnn::cpu {
namespace {

void store_row(const TargetRow& row, const TargetWeights& weights, int64_t i,
               const TargetRows& output) {
  float* roi = output.rois + 5 * i;
  for (const float value : {row.image, row.box.x1, row.box.y1, row.box.x2, row.box.y2}) {
    *roi++ = value;
  }
  std::copy_n(row.deltas.values, 4, output.deltas + 4 * i);
  output.labels[i] = row.label;
  output.matched_gt[i] = row.matched_gt;
  const bool positive = row.matched_gt >= 0;
  output.sample_weights[i] = row.label >= 0 ? weights.sample : 0.0F;
  output.box_weights[i] = positive ? weights.sample : 0.0F;
  output.mask_weights[i] = positive ? weights.mask : 0.0F;
}

}  // namespace

void training_targets(const TargetView& view, const TargetRows& output) {
  for (int64_t n = 0; n < view.images; ++n) {
    const TargetWeights weights = target_weights(view, n);
    for (int64_t s = 0; s < view.samples; ++s) {
      store_row(target_row(view, n, s), weights, n * view.samples + s, output);
    }
  }
}

void positive_targets(const PositiveView& view) {
  int64_t to = 0;
  for (int64_t row = 0; row < view.images * view.samples; ++row) {
    if (view.labels[row] <= 0) continue;
    std::copy_n(view.rois + 5 * row, 5, view.output_rois + 5 * to);
    view.output_labels[to] = view.labels[row];
    view.output_matched_gt[to] = view.matched_gt[row];
    view.output_mask_weights[to] = view.mask_weights[row];
    view.output_rows[to] = static_cast<int32_t>(row);
    ++to;
  }
}

}  // namespace mrcnn::cpu
