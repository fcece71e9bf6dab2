// A thread per row. Each adds up the counts of the batch's images anew: there are few.
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"
#include "kernels/detection/training_targets.h"
#include "kernels/detection/training_targets_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // 256 or 512 rows an image: small blocks reach more SMs

__global__ void training_targets_kernel(TargetView view, TargetRows output) {
  const int64_t total = view.images * view.samples;
  for (int64_t i = first_item(); i < total; i += item_stride()) {
    const int64_t image = i / view.samples;
    const TargetRow row = target_row(view, image, i % view.samples);
    const TargetWeights weights = target_weights(view, image);
    const bool positive = row.matched_gt >= 0;
    float* roi = output.rois + 5 * i;
    roi[0] = row.image;
    roi[1] = row.box.x1;
    roi[2] = row.box.y1;
    roi[3] = row.box.x2;
    roi[4] = row.box.y2;
    for (int k = 0; k < 4; ++k) output.deltas[4 * i + k] = row.deltas.values[k];
    output.labels[i] = row.label;
    output.matched_gt[i] = row.matched_gt;
    output.sample_weights[i] = row.label >= 0 ? weights.sample : 0.0F;
    output.box_weights[i] = positive ? weights.sample : 0.0F;
    output.mask_weights[i] = positive ? weights.mask : 0.0F;
  }
}

// The positives of an image are its first rows.
__global__ void positive_targets_kernel(PositiveView view) {
  const int64_t total = view.images * view.max_positive;
  for (int64_t i = first_item(); i < total; i += item_stride()) {
    const int64_t from = i / view.max_positive * view.samples + i % view.max_positive;
    const int32_t label = view.labels[from];
    const bool used = label > 0;
    for (int k = 0; k < 5; ++k) {
      view.output_rois[5 * i + k] = used ? view.rois[5 * from + k] : k == 0 ? -1.0F : 0.0F;
    }
    view.output_labels[i] = used ? label : -1;
    view.output_matched_gt[i] = used ? view.matched_gt[from] : -1;
    view.output_mask_weights[i] = used ? view.mask_weights[from] : 0.0F;
    view.output_rows[i] = used ? static_cast<int32_t>(from) : -1;
  }
}

}  // namespace

void training_targets(const TargetView& view, const TargetRows& output, Stream stream) {
  const int64_t total = view.images * view.samples;
  if (total == 0) return;
  launch("training_targets", training_targets_kernel,
         {.grid = blocks_for(total, kBlock), .block = dim3(kBlock), .stream = stream}, view,
         output);
}

void positive_targets(const PositiveView& view, Stream stream) {
  const int64_t total = view.images * view.max_positive;
  if (total == 0) return;
  launch("positive_targets", positive_targets_kernel,
         {.grid = blocks_for(total, kBlock), .block = dim3(kBlock), .stream = stream}, view);
}

}  // namespace mrcnn::cuda
