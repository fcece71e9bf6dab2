#include "models/mask_rcnn/training.h"

#include <string>
#include <utility>

#include "core/autograd/grad_mode.h"
#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/append_boxes.h"
#include "kernels/detection/box_coder.h"
#include "kernels/detection/gather_anchors.h"
#include "kernels/detection/mask_targets.h"
#include "kernels/detection/match_boxes.h"
#include "kernels/detection/roi_align.h"
#include "kernels/detection/sample_matches.h"
#include "kernels/detection/training_targets.h"
#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/smooth_l1.h"
#include "kernels/loss/softmax_cross_entropy.h"
#include "kernels/shape/concat.h"
#include "kernels/shape/select_class.h"
#include "models/mask_rcnn/propose.h"
#include "models/mask_rcnn/roi_geometry.h"

namespace mrcnn {
namespace {

// What rpn_proposals reads: f32 on the CPU also where the model computes in f64.
std::vector<Tensor> as_proposal_inputs(const std::vector<Tensor>& maps) {
  std::vector<Tensor> inputs;
  for (const Tensor& map : maps) {
    inputs.push_back(map.dtype() == DType::kF64 ? cast(map, DType::kF32) : map.detach());
  }
  return inputs;
}

RandomStream stream_of(const SamplingKey& key, RandomPurpose purpose) {
  return {.seed = key.seed, .purpose = purpose, .step = key.step};
}

// [M, 1] -> [M]
Tensor squeeze(const Tensor& tensor) { return tensor.reshape({tensor.numel()}); }

}  // namespace

TrainableMaskRcnn::TrainableMaskRcnn(const MaskRcnnConfig& config)
    : config_(config), tree_(build_tree(config)) {}

void TrainableMaskRcnn::place(const Execution& execution) {
  check_execution(execution);
  if (execution.device.is_cuda() && config_.training.compat) {
    throw UsageError("the original system's faults (compat) are reproduced on the CPU only");
  }
  execution_ = execution;
  tree_.root->visit_parameters([&](const std::string& name, Parameter& parameter) {
    if (parameter.dtype == DType::kI64) {  // counters stay on the CPU
      if (!parameter.value.defined()) parameter.value = Tensor::zeros({}, DType::kI64);
      return;
    }
    if (!parameter.value.defined()) {
      throw ShapeError("[mask_rcnn] parameter '" + name + "' was not loaded");
    }
    parameter.value = copy_to(parameter.value.detach(), execution.device);
  });
  base_anchors_.clear();
  for (const std::vector<double>& sizes : config_.anchors.sizes) {
    base_anchors_.push_back(copy_to(
        base_anchors(sizes, config_.anchors.ratios, config_.anchors.round), execution.device));
  }
}

Proposals TrainableMaskRcnn::propose(const RpnOutput& rpn, const TrainingBatch& batch) const {
  const NoGradGuard no_grad;
  RpnOutput constants;
  constants.logits = as_proposal_inputs(rpn.logits);
  constants.deltas = as_proposal_inputs(rpn.deltas);
  return propose_boxes(constants, base_anchors_, batch.images,
                       {.pre_nms_top_n = config_.training.pre_nms_top_n,
                        .post_nms_top_n = config_.training.post_nms_top_n,
                        .nms_threshold = config_.rpn.nms_threshold,
                        .min_size = config_.rpn.min_size,
                        .score = config_.rpn.score},
                       config_.training.compat);
}

Tensor TrainableMaskRcnn::anchors(const RpnOutput& rpn, const TrainingBatch& batch) const {
  std::vector<Tensor> levels;
  for (size_t i = 0; i < rpn.logits.size(); ++i) {
    const int64_t rows = rpn.logits[i].size(1), columns = rpn.logits[i].size(2);
    levels.push_back(grid_anchors(base_anchors_[i], rows, columns,
                                  batch.images.pixels.size(1) / rows,
                                  batch.images.pixels.size(2) / columns));
  }
  return concat(levels);
}

std::array<Tensor, 2> TrainableMaskRcnn::rpn_losses(const RpnOutput& rpn,
                                                    const TrainingBatch& batch,
                                                    const SamplingKey& key,
                                                    const Observer& observer) const {
  const TrainingConfig& training = config_.training;
  const Tensor refs = anchors(rpn, batch);
  const Tensor matched = match_boxes(refs, {}, batch.gt_boxes, batch.gt_count,
                                     {.fg_threshold = training.rpn_fg_threshold,
                                      .bg_threshold = training.rpn_bg_threshold,
                                      .low_quality = true,
                                      .compat = training.compat});
  const SampledMatches samples = sample_matches(
      matched,
      {.num_samples = training.rpn_samples, .positive_fraction = training.rpn_positive_fraction},
      stream_of(key, RandomPurpose::kRpnSampler), key.first_image);
  observer.see("rpn/samples", samples.indices);
  const TrainingTargets targets =
      training_targets(refs, batch.gt_boxes, {}, matched, samples,
                       {.weights = {}, .normalisation = training.normalisation});
  return {bce_with_logits(squeeze(gather_anchors(rpn.logits, samples.indices, 1)),
                          cast(targets.labels, DType::kF32), targets.sample_weights),
          smooth_l1(gather_anchors(rpn.deltas, samples.indices, 4), targets.deltas,
                    targets.box_weights, {.beta = training.rpn_box_beta})};
}

TrainingTargets TrainableMaskRcnn::roi_targets(const Proposals& proposals,
                                               const TrainingBatch& batch, const SamplingKey& key,
                                               const Observer& observer) const {
  const TrainingConfig& training = config_.training;
  const BoxLists candidates =
      append_boxes(proposals.boxes, proposals.count, batch.gt_boxes, batch.gt_count);
  const Tensor matched =
      match_boxes(candidates.boxes, candidates.count, batch.gt_boxes, batch.gt_count,
                  {.fg_threshold = training.roi_fg_threshold,
                   .bg_threshold = training.roi_bg_threshold,
                   .low_quality = false,
                   .compat = training.compat});
  const SampledMatches samples = sample_matches(
      matched,
      {.num_samples = training.roi_samples, .positive_fraction = training.roi_positive_fraction},
      stream_of(key, RandomPurpose::kRoiSampler), key.first_image);
  observer.see("roi/samples", samples.indices);
  return training_targets(candidates.boxes, batch.gt_boxes, batch.gt_labels, matched, samples,
                          {.weights = kBoxHeadWeights,
                           .normalisation = training.normalisation,
                           .mask_elements = kMaskSize * kMaskSize});
}

std::array<Tensor, 2> TrainableMaskRcnn::box_losses(std::span<const Tensor> maps,
                                                    const TrainingTargets& targets,
                                                    const Observer& observer) const {
  const Tensor features =
      roi_align(maps, targets.rois, roi_align_params(config_, maps.size(), kBoxGrid));
  const BoxHeadOutput box = train_box_head(tree_.box, features, targets.labels, execution_);
  observer.see("box/logits", box.class_logits);
  observer.see("box/deltas", box.box_deltas);
  return {softmax_cross_entropy(box.class_logits, targets.labels, targets.sample_weights),
          smooth_l1(select_class(box.box_deltas, targets.labels, 4), targets.deltas,
                    targets.box_weights, {.beta = config_.training.roi_box_beta})};
}

Tensor TrainableMaskRcnn::mask_loss(std::span<const Tensor> maps, const TrainingTargets& targets,
                                    const MaskTable& masks, const Observer& observer) const {
  const TrainingConfig& training = config_.training;
  const auto most_positive = static_cast<int64_t>(static_cast<double>(training.roi_samples) *
                                                  training.roi_positive_fraction);
  const PositiveTargets positive = positive_targets(targets, training.roi_samples, most_positive);
  const Tensor features =
      roi_align(maps, positive.rois, roi_align_params(config_, maps.size(), kMaskGrid));
  const Tensor logits = train_mask_head(tree_.mask, features, positive.labels, execution_);
  const Tensor wanted = mask_targets(positive.rois, positive.matched_gt, masks, kMaskSize);
  observer.see("mask/logits", logits);
  observer.see("mask/targets", wanted);
  return bce_with_logits(logits, wanted, positive.mask_weights);
}

TrainingLosses TrainableMaskRcnn::losses(const TrainingBatch& batch, const SamplingKey& key,
                                         const Observer& observer, const Proposals* given) const {
  const int first_map = config_.fpn ? 0 : 3;
  const std::vector<Tensor> body =
      train_resnet(tree_.body, batch.images.pixels, first_map, execution_);
  observer.see_all("body/", body, static_cast<size_t>(first_map));
  const std::vector<Tensor> maps = train_fpn(tree_.neck, config_.fpn, body, execution_);
  observer.see_all("neck/", maps);
  const RpnOutput rpn = train_rpn_head(tree_.rpn, maps, execution_);
  observer.see_all("rpn/logits/", rpn.logits);
  observer.see_all("rpn/deltas/", rpn.deltas);
  const Proposals proposals = given != nullptr ? *given : propose(rpn, batch);
  observer.see("proposals", proposals.boxes);

  const auto [objectness, rpn_box] = rpn_losses(rpn, batch, key, observer);
  const TrainingTargets targets = roi_targets(proposals, batch, key, observer);
  // The RPN's extra level serves no RoI.
  const auto roi_maps = std::span(maps).first(config_.fpn ? maps.size() - 1 : maps.size());
  const auto [classifier, box] = box_losses(roi_maps, targets, observer);
  const Tensor mask = mask_loss(roi_maps, targets, batch.masks, observer);
  return {objectness, rpn_box, classifier, box, mask};
}

}  // namespace mrcnn
