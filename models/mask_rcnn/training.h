// Mask R-CNN in training: a batch with its annotations in, five losses out.
// Source: He et al. 2017, sec. 3; Ren et al. 2015; torchvision 0.29 models/detection (rpn.py,
// roi_heads.py); the original system's losses differ in the box terms (TrainingConfig).
//
//   features:  backbone, neck, RPN head
//   propose:   as in inference, constants for what follows
//   RPN:       match anchors, sample, losses on the sampled ones
//   RoI heads: proposals and annotated boxes, match, sample, RoIAlign, losses
//   masks:     the positive RoIs, against 28x28 targets from the annotations' run lengths
// On a GPU nothing here waits for the host.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "layers/execution.h"
#include "models/detection/observer.h"
#include "models/mask_rcnn/config.h"
#include "models/mask_rcnn/training_batch.h"
#include "models/mask_rcnn/tree.h"

namespace mrcnn {

// Which random choice: image n of the batch draws from (seed, step, first_image + n), so that two
// halves of a batch, computed one after the other, draw what the whole would.
struct SamplingKey {
  uint64_t seed = 0;
  uint32_t step = 0;
  int64_t first_image = 0;
};

inline constexpr std::array<std::string_view, 5> kLossNames = {
    "rpn_objectness", "rpn_box", "roi_classifier", "roi_box", "roi_mask"};

// Rank 0, in the type of the outputs they are made of (f32 for bf16), in the order of kLossNames;
// the total loss is their sum.
using TrainingLosses = std::array<Tensor, 5>;

// A model whose parameters are loaded and lie on a device.
class TrainableMaskRcnn {
 public:
  explicit TrainableMaskRcnn(const MaskRcnnConfig& config);

  const MaskRcnnConfig& config() const { return config_; }
  Module& root() { return *tree_.root; }
  const Module& root() const { return *tree_.root; }
  const Execution& execution() const { return execution_; }

  // Moves the loaded parameters to the device and says in which precision to compute. Throws
  // ShapeError naming a parameter that was not loaded, UsageError for a precision there is not and
  // for `compat` on a GPU.
  void place(const Execution& execution);

  // Recorded for gradients. The observer sees "body/i", "neck/i", "rpn/logits/i", "rpn/deltas/i",
  // "proposals", "rpn/samples", "roi/samples", "box/logits", "box/deltas", "mask/logits",
  // "mask/targets". given: proposals to take instead of the model's own, for comparing with another
  // implementation, whose proposals of nearly equal scores may come in another order.
  TrainingLosses losses(const TrainingBatch& batch, const SamplingKey& key,
                        const Observer& observer = {}, const Proposals* given = nullptr) const;

 private:
  Proposals propose(const RpnOutput& rpn, const TrainingBatch& batch) const;
  Tensor anchors(const RpnOutput& rpn, const TrainingBatch& batch) const;  // [T, 4], all levels
  // Objectness and boxes.
  std::array<Tensor, 2> rpn_losses(const RpnOutput& rpn, const TrainingBatch& batch,
                                   const SamplingKey& key, const Observer& observer) const;
  TrainingTargets roi_targets(const Proposals& proposals, const TrainingBatch& batch,
                              const SamplingKey& key, const Observer& observer) const;
  // Classes and boxes. maps: those that serve RoIs.
  std::array<Tensor, 2> box_losses(std::span<const Tensor> maps, const TrainingTargets& targets,
                                   const Observer& observer) const;
  Tensor mask_loss(std::span<const Tensor> maps, const TrainingTargets& targets,
                   const MaskTable& masks, const Observer& observer) const;

  MaskRcnnConfig config_;
  MaskRcnnTree tree_;
  Execution execution_;
  std::vector<Tensor> base_anchors_;  // per level [A, 4]
};

}  // namespace mrcnn
