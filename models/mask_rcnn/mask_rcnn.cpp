#include "models/mask_rcnn/mask_rcnn.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/allocator.h"
#include "core/error.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/mask_rle.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/roi_stage.h"

namespace mrcnn {
namespace {

void see_all(const Observer& observer, const std::string& prefix, const std::vector<Tensor>& values,
             size_t first_number) {
  if (!observer.tensor) return;
  for (size_t i = 0; i < values.size(); ++i) {
    observer.see(prefix + std::to_string(first_number + i), values[i]);
  }
}

int64_t round_up(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor * divisor;
}

ImageSize padded_size(ImageSize resized, int64_t divisor) {
  return {round_up(resized.height, divisor), round_up(resized.width, divisor)};
}

}  // namespace

struct MaskRcnn::Engine {
  ResNet body;
  Fpn neck;
  RpnHead rpn;
  BoxHead box;
  MaskHead mask;
  std::vector<Tensor> base_anchors;  // per level [A, 4]

  Engine(const MaskRcnnTree& tree, const MaskRcnnConfig& config)
      : body(tree.body),
        neck(tree.neck, config.fpn),
        rpn(tree.rpn),
        box(tree.box),
        mask(tree.mask) {
    for (const std::vector<double>& sizes : config.anchors.sizes) {
      base_anchors.push_back(
          mrcnn::base_anchors(sizes, config.anchors.ratios, config.anchors.round));
    }
  }
};

MaskRcnn::MaskRcnn(const MaskRcnnConfig& config) : config_(config), tree_(build_tree(config)) {}
MaskRcnn::~MaskRcnn() = default;

void MaskRcnn::prepare() {
  tree_.root->visit_parameters([](const std::string& name, const Parameter& parameter) {
    if (!parameter.value.defined() && parameter.dtype != DType::kI64) {
      throw ShapeError("[mask_rcnn] parameter '" + name + "' was not loaded");
    }
  });
  engine_ = std::make_unique<Engine>(tree_, config_);
  tree_.root->visit_parameters(
      [](const std::string&, Parameter& parameter) { parameter.value = Tensor{}; });
  release_host_cache();  // activations have other sizes than the parameters had
}

const MaskRcnn::Engine& MaskRcnn::engine() const {
  if (!engine_) throw ShapeError("[mask_rcnn] prepare() was not called");
  return *engine_;
}

ImageBatch MaskRcnn::preprocess(std::span<const Tensor> images) const {
  ImageBatch batch;
  for (const Tensor& image : images) {
    batch.original.push_back({image.size(0), image.size(1)});
    batch.resized.push_back(resized_size(image.size(0), image.size(1), config_.input.resize));
  }
  batch.pixels = resize_normalize_pad(images, batch.resized, config_.input.normalization);
  return batch;
}

Features MaskRcnn::features(const Tensor& pixels, const Observer& observer) const {
  const Engine& e = engine();
  const std::vector<Tensor> maps = e.body.forward(pixels, config_.fpn ? 0 : 3);
  observer.ended("body");
  see_all(observer, "body/", maps, config_.fpn ? 0 : 3);
  Features features;
  features.maps = e.neck.forward(maps);
  observer.ended("neck");
  see_all(observer, "neck/", features.maps, 0);
  features.rpn = e.rpn.forward(features.maps);
  observer.ended("rpn_head");
  see_all(observer, "rpn/logits/", features.rpn.logits, 0);
  see_all(observer, "rpn/deltas/", features.rpn.deltas, 0);
  return features;
}

Proposals MaskRcnn::propose(const Features& features, const ImageBatch& batch) const {
  const ImageSize padded{batch.pixels.size(1), batch.pixels.size(2)};
  RpnProposalParams params{
      .pre_nms_top_n = config_.rpn.pre_nms_top_n,
      .post_nms_top_n = config_.rpn.post_nms_top_n,
      .nms_threshold = config_.rpn.nms_threshold,
      .min_size = config_.rpn.min_size,
      .score = config_.rpn.score,
  };
  std::vector<RpnLevel> levels;
  for (size_t i = 0; i < features.maps.size(); ++i) {
    // Integer division as in the references: the last FPN level of an 800 pixel high image has
    // stride 800 / 13 = 61, not 64.
    levels.push_back({.logits = features.rpn.logits[i],
                      .deltas = features.rpn.deltas[i],
                      .base_anchors = engine().base_anchors[i],
                      .stride_height = padded.height / features.maps[i].size(1),
                      .stride_width = padded.width / features.maps[i].size(2)});
  }
  const std::vector<ImageSize> padded_sizes(batch.resized.size(), padded);
  return rpn_proposals(levels, config_.inference.compat ? padded_sizes : batch.resized, params);
}

std::vector<Instances> MaskRcnn::heads(const Features& features, const Proposals& proposals,
                                       const ImageBatch& batch, const Observer& observer) const {
  const Engine& e = engine();
  // The RPN's extra level serves no RoI.
  const size_t num_maps = config_.fpn ? features.maps.size() - 1 : features.maps.size();
  const RoiStage stage(config_, std::span(features.maps).first(num_maps), e.box, e.mask);
  const ImageSize padded{batch.pixels.size(1), batch.pixels.size(2)};
  std::vector<Instances> results;
  for (int64_t n = 0; n < static_cast<int64_t>(batch.original.size()); ++n) {
    const auto i = static_cast<size_t>(n);
    const int64_t count = proposals.count.data<const int32_t>()[n];
    const Tensor boxes =
        proposals.boxes.slice(n, n + 1).reshape({proposals.boxes.size(1), 4}).slice(0, count);
    results.push_back(stage.run(n, boxes,
                                {.original = batch.original[i],
                                 .network = config_.inference.compat ? padded : batch.resized[i]},
                                observer));
  }
  return results;
}

std::vector<Instances> MaskRcnn::detect(std::span<const Tensor> images,
                                        const Observer& observer) const {
  // Padding takes part in the convolutions next to it, so images are only computed together when
  // they would be padded alike alone.
  std::map<std::pair<int64_t, int64_t>, std::vector<size_t>> groups;
  for (size_t i = 0; i < images.size(); ++i) {
    if (images[i].rank() != 3 || images[i].size(2) != 3 || images[i].numel() == 0) {
      throw ShapeError("[mask_rcnn] an image must be [H,W,3], not empty: " + images[i].describe());
    }
    const ImageSize padded =
        padded_size(resized_size(images[i].size(0), images[i].size(1), config_.input.resize),
                    config_.input.normalization.size_divisor);
    groups[{padded.height, padded.width}].push_back(i);
  }
  std::vector<Instances> results(images.size());
  for (const auto& [size, members] : groups) {
    std::vector<Tensor> group;
    for (const size_t i : members) group.push_back(images[i]);
    const ImageBatch batch = preprocess(group);
    observer.ended("preprocess");
    observer.see("input", batch.pixels);
    const Features maps = features(batch.pixels, observer);
    const Proposals proposals = propose(maps, batch);
    observer.ended("propose");
    std::vector<Instances> found = heads(maps, proposals, batch, observer);
    for (size_t k = 0; k < members.size(); ++k) results[members[k]] = std::move(found[k]);
  }
  return results;
}

std::vector<Rle> encode_masks(const Instances& instances, const MaskRcnnConfig& config) {
  return masks_to_rle(
      instances.mask_probs, instances.boxes, instances.height, instances.width,
      {.threshold = config.inference.mask_threshold, .extra_pixel = config.mask.paste_extra_pixel});
}

}  // namespace mrcnn
