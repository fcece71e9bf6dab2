// Mask R-CNN in inference: images in, boxes, labels, scores and masks out.
// Source: He et al. 2017, "Mask R-CNN".
//
// The forward pass has three stages that can be tested and timed alone:
//   features: backbone, neck and RPN head (static shapes)
//   propose:  decode, top-k, non-maximum suppression
//   heads:    RoIAlign, box head, detections, mask head
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"
#include "kernels/detection/rpn_proposals.h"
#include "models/detection/instances.h"
#include "models/detection/observer.h"
#include "models/mask_rcnn/config.h"
#include "models/mask_rcnn/tree.h"

namespace mrcnn {

// Images resized, normalised and padded to one size.
struct ImageBatch {
  Tensor pixels;                    // [N, H, W, 3] f32
  std::vector<ImageSize> original;  // N
  std::vector<ImageSize> resized;   // N, without padding
};

struct Features {
  std::vector<Tensor> maps;  // [N, h, w, C], finest first; those the RPN reads
  RpnOutput rpn;             // one entry per map
};

class MaskRcnn {
 public:
  // Declares the parameters; root() is ready to be loaded.
  explicit MaskRcnn(const MaskRcnnConfig& config);
  ~MaskRcnn();

  const MaskRcnnConfig& config() const { return config_; }
  Module& root() { return *tree_.root; }
  const Module& root() const { return *tree_.root; }

  // Packs the loaded parameters for inference and then releases them (their values become
  // undefined). Throws ShapeError if one was not loaded.
  void prepare();

  // Any number of RGB images [H, W, 3] u8 of any sizes -> one result per image, boxes in pixels of
  // that image, best score first (config.inference.compat: by class). Images that share a padded
  // size are computed together; the result does not depend on what else is in the call.
  std::vector<Instances> detect(std::span<const Tensor> images,
                                const Observer& observer = {}) const;

  // The stages. Images of one batch must have the same padded size.
  ImageBatch preprocess(std::span<const Tensor> images) const;
  Features features(const Tensor& pixels, const Observer& observer = {}) const;
  Proposals propose(const Features& features, const ImageBatch& batch) const;
  std::vector<Instances> heads(const Features& features, const Proposals& proposals,
                               const ImageBatch& batch, const Observer& observer = {}) const;

 private:
  struct Engine;
  const Engine& engine() const;

  MaskRcnnConfig config_;
  MaskRcnnTree tree_;
  std::unique_ptr<Engine> engine_;  // null until prepared
};

// The detections' masks at full image size, as run lengths.
std::vector<Rle> encode_masks(const Instances& instances, const MaskRcnnConfig& config);

}  // namespace mrcnn
