// Mask R-CNN in inference: images in, boxes, labels, scores and masks out.
// Source: He et al. 2017, "Mask R-CNN".
//
// The forward pass has three stages that can be tested and timed alone:
//   features: backbone, neck and RPN head (static shapes)
//   propose:  decode, top-k, non-maximum suppression
//   heads:    RoIAlign, box head, detections, mask head
// On a GPU the stages work on arrays of a fixed size and do not wait for the host; detect() records
// them as graphs and replays them (graph_cache.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "kernels/detection/rpn_proposals.h"
#include "layers/execution.h"
#include "models/detection/instances.h"
#include "models/detection/observer.h"
#include "models/mask_rcnn/batch.h"
#include "models/mask_rcnn/config.h"
#include "models/mask_rcnn/tree.h"

namespace mrcnn {

class MaskRcnn {
 public:
  // Declares the parameters; root() is ready to be loaded.
  explicit MaskRcnn(const MaskRcnnConfig& config);
  ~MaskRcnn();

  const MaskRcnnConfig& config() const { return config_; }
  Module& root() { return *tree_.root; }
  const Module& root() const { return *tree_.root; }

  // Packs the loaded parameters for inference, on a device, and then releases them (their values
  // become undefined). Throws ShapeError if one was not loaded, UsageError if the device cannot
  // compute like that.
  void prepare(const Execution& execution = {});
  const Execution& execution() const;  // prepared with

  // Any number of RGB images [H, W, 3] u8 of any sizes -> one result per image, boxes in pixels of
  // that image, best score first (config.inference.compat: by class). Images that share a padded
  // size are computed together; the result does not depend on what else is in the call. The images
  // and the results lie on the CPU, also when the model runs on a GPU; there the host waits once
  // for each group of images of one padded size. May be called from several threads.
  std::vector<Instances> detect(std::span<const Tensor> images,
                                const Observer& observer = {}) const;

  // Whether detect() on a GPU may record graphs, from the second batch of a size on; the default.
  // An observer that wants tensors always sees the stages run one kernel after the other.
  void set_graphs(bool use);
  // What was recorded for the size of the last batch (kernels, copies and fills), and what all
  // recordings together hold in memory.
  struct GraphStats {
    int64_t nodes = 0;
    int64_t memory_bytes = 0;
  };
  GraphStats graph_stats() const;

  // The stages. Images of one batch must have the same padded size. Tensors lie on the model's
  // device; heads() brings the results to the CPU.
  ImageBatch preprocess(std::span<const Tensor> images) const;
  Features features(const Tensor& pixels, const Observer& observer = {}) const;
  Proposals propose(const Features& features, const ImageBatch& batch) const;
  std::vector<Instances> heads(const Features& features, const Proposals& proposals,
                               const ImageBatch& batch, const Observer& observer = {}) const;

 private:
  struct Engine;
  const Engine& engine() const;
  void preprocess_into(std::span<const Tensor> images, ImageBatch& batch) const;
  std::span<const Tensor> roi_maps(const Features& features) const;
  std::vector<Instances> detect_group(std::span<const Tensor> images,
                                      const Observer& observer) const;
  std::vector<Instances> replay_graphs(std::span<const Tensor> images,
                                       const Observer& observer) const;

  MaskRcnnConfig config_;
  MaskRcnnTree tree_;
  std::unique_ptr<Engine> engine_;  // null until prepared
};

// The detections' masks at full image size, as run lengths.
std::vector<Rle> encode_masks(const Instances& instances, const MaskRcnnConfig& config);

}  // namespace mrcnn
