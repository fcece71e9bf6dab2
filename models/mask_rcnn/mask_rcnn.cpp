#include "models/mask_rcnn/mask_rcnn.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "core/allocator.h"
#include "core/device_memory.h"
#include "core/error.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/detection/mask_rle.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/device_stages.h"
#include "models/mask_rcnn/graph_cache.h"
#include "models/mask_rcnn/input_channels.h"
#include "models/mask_rcnn/propose.h"
#include "models/mask_rcnn/roi_stage.h"

namespace mrcnn {
namespace {

int64_t round_up(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor * divisor;
}

ImageSize padded_size(ImageSize resized, int64_t divisor) {
  return {round_up(resized.height, divisor), round_up(resized.width, divisor)};
}

}  // namespace

struct MaskRcnn::Engine {
  Execution execution;
  ResNet body;
  Fpn neck;
  RpnHead rpn;
  BoxHead box;
  MaskHead mask;
  std::vector<Tensor> base_anchors;    // per level [A, 4]
  std::unique_ptr<GraphCache> graphs;  // on a GPU
  std::atomic<bool> use_graphs{true};
  std::atomic<int64_t> graph_nodes{0};

  Engine(const MaskRcnnTree& tree, const MaskRcnnConfig& config, const Execution& where)
      : execution(where),
        body(tree.body, where, input_channels(where)),
        neck(tree.neck, config.fpn, where),
        rpn(tree.rpn, where),
        box(tree.box, where),
        mask(tree.mask, where) {
    for (const std::vector<double>& sizes : config.anchors.sizes) {
      base_anchors.push_back(copy_to(
          mrcnn::base_anchors(sizes, config.anchors.ratios, config.anchors.round), where.device));
    }
  }
};

MaskRcnn::MaskRcnn(const MaskRcnnConfig& config) : config_(config), tree_(build_tree(config)) {}
MaskRcnn::~MaskRcnn() = default;

void MaskRcnn::prepare(const Execution& execution) {
  check_execution(execution);
  if (execution.device.is_cuda() && config_.inference.compat) {
    throw UsageError("the original system's faults (--compat) are reproduced on the CPU only");
  }
  tree_.root->visit_parameters([](const std::string& name, const Parameter& parameter) {
    if (!parameter.value.defined() && parameter.dtype != DType::kI64) {
      throw ShapeError("[mask_rcnn] parameter '" + name + "' was not loaded");
    }
  });
  const DeviceLock lock(execution.device);
  engine_ = std::make_unique<Engine>(tree_, config_, execution);
  if (execution.device.is_cuda()) {
    engine_->graphs = std::make_unique<GraphCache>(
        execution.device,
        GraphStages{
            .features = [this](const ImageBatch& batch) { return features(batch.pixels); },
            .propose = [this](const Features& maps,
                              const ImageBatch& batch) { return propose(maps, batch); },
            .detect =
                [this](const Features& maps, const Proposals& proposals, const ImageBatch& batch) {
                  return detect_on_device(config_, roi_maps(maps), engine_->box, engine_->mask,
                                          proposals, batch.clip_sizes, {});
                }});
  }
  tree_.root->visit_parameters(
      [](const std::string&, Parameter& parameter) { parameter.value = Tensor{}; });
  release_host_cache();  // activations have other sizes than the parameters had
}

const MaskRcnn::Engine& MaskRcnn::engine() const {
  if (!engine_) throw ShapeError("[mask_rcnn] prepare() was not called");
  return *engine_;
}

const Execution& MaskRcnn::execution() const { return engine().execution; }
void MaskRcnn::set_graphs(bool use) { engine_->use_graphs = use; }

MaskRcnn::GraphStats MaskRcnn::graph_stats() const {
  const Engine& e = engine();
  return {.nodes = e.graph_nodes, .memory_bytes = e.graphs ? e.graphs->bytes() : 0};
}

ImageBatch MaskRcnn::preprocess(std::span<const Tensor> images) const {
  const Execution& where = engine().execution;
  const auto count = static_cast<int64_t>(images.size());
  ImageBatch batch;
  ImageSize largest;
  for (const Tensor& image : images) {
    const ImageSize resized = resized_size(image.size(0), image.size(1), config_.input.resize);
    largest = {std::max(largest.height, resized.height), std::max(largest.width, resized.width)};
  }
  const ImageSize padded = padded_size(largest, config_.input.normalization.size_divisor);
  batch.pixels = Tensor::empty({count, padded.height, padded.width, input_channels(where)},
                               where.activations(), where.device);
  if (where.device.is_cuda()) {
    batch.clip_sizes = Tensor::empty({count, 2}, DType::kF32, where.device);
  }
  preprocess_into(images, batch);
  return batch;
}

void MaskRcnn::preprocess_into(std::span<const Tensor> images, ImageBatch& batch) const {
  const Device device = engine().execution.device;
  batch.original.clear();
  batch.resized.clear();
  std::vector<Tensor> pixels;
  for (const Tensor& image : images) {
    batch.original.push_back({image.size(0), image.size(1)});
    batch.resized.push_back(resized_size(image.size(0), image.size(1), config_.input.resize));
    pixels.push_back(copy_to(image, device));
  }
  if (batch.clip_sizes.defined()) {
    const Tensor sizes = image_size_tensor(batch.resized);
    upload_bytes(batch.clip_sizes.raw(), device, sizes.raw(), sizes.bytes());
  }
  resize_normalize_pad_into(pixels, batch.resized, config_.input.normalization, batch.pixels);
}

std::span<const Tensor> MaskRcnn::roi_maps(const Features& features) const {
  // The RPN's extra level serves no RoI.
  const size_t count = config_.fpn ? features.maps.size() - 1 : features.maps.size();
  return std::span(features.maps).first(count);
}

Features MaskRcnn::features(const Tensor& pixels, const Observer& observer) const {
  const Engine& e = engine();
  const std::vector<Tensor> maps = e.body.forward(pixels, config_.fpn ? 0 : 3);
  observer.ended("body");
  observer.see_all("body/", maps, config_.fpn ? 0 : 3);
  Features features;
  features.maps = e.neck.forward(maps);
  observer.ended("neck");
  observer.see_all("neck/", features.maps);
  features.rpn = e.rpn.forward(features.maps);
  observer.ended("rpn_head");
  observer.see_all("rpn/logits/", features.rpn.logits);
  observer.see_all("rpn/deltas/", features.rpn.deltas);
  observer.see_all("rpn/merged/", features.rpn.merged);
  return features;
}

Proposals MaskRcnn::propose(const Features& features, const ImageBatch& batch) const {
  return propose_boxes(features.rpn, engine().base_anchors, batch,
                       {.pre_nms_top_n = config_.rpn.pre_nms_top_n,
                        .post_nms_top_n = config_.rpn.post_nms_top_n,
                        .nms_threshold = config_.rpn.nms_threshold,
                        .min_size = config_.rpn.min_size,
                        .score = config_.rpn.score},
                       config_.inference.compat);
}

std::vector<Instances> MaskRcnn::heads(const Features& features, const Proposals& proposals,
                                       const ImageBatch& batch, const Observer& observer) const {
  const Engine& e = engine();
  if (e.execution.device.is_cuda()) {
    return collect_instances(detect_on_device(config_, roi_maps(features), e.box, e.mask, proposals,
                                              batch.clip_sizes, observer),
                             batch);
  }
  const RoiStage stage(config_, roi_maps(features), e.box, e.mask);
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

std::vector<Instances> MaskRcnn::detect_group(std::span<const Tensor> images,
                                              const Observer& observer) const {
  const ImageBatch batch = preprocess(images);
  observer.ended("preprocess");
  observer.see("input", batch.pixels);
  const Features maps = features(batch.pixels, observer);
  const Proposals proposals = propose(maps, batch);
  observer.ended("propose");
  return heads(maps, proposals, batch, observer);
}

std::vector<Instances> MaskRcnn::replay_graphs(std::span<const Tensor> images,
                                               const Observer& observer) const {
  GraphCache& graphs = *engine().graphs;
  const ImageSize padded =
      padded_size(resized_size(images[0].size(0), images[0].size(1), config_.input.resize),
                  config_.input.normalization.size_divisor);
  const GraphCache::Key key{static_cast<int64_t>(images.size()), padded.height, padded.width};
  StageGraphs* found = graphs.find(key);
  if (found == nullptr) {
    if (!graphs.seen_before(key)) return detect_group(images, observer);
    found = &graphs.make(key, preprocess(images));
  }
  preprocess_into(images, found->batch());
  observer.ended("preprocess");
  const DetectionBatch& detections =
      found->replay([&](const char* stage) { observer.ended(stage); });
  engine_->graph_nodes = found->num_nodes();
  return collect_instances(detections, found->batch());
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
  const Engine& e = engine();
  const bool on_gpu = e.execution.device.is_cuda();
  const bool use_graphs = on_gpu && e.use_graphs && !observer.tensor;
  const DeviceLock lock(e.execution.device);  // graphs and their memory serve one batch at a time
  std::vector<Instances> results(images.size());
  for (const auto& [size, members] : groups) {
    std::vector<Tensor> group;
    for (const size_t i : members) group.push_back(images[i]);
    std::vector<Instances> found =
        use_graphs ? replay_graphs(group, observer) : detect_group(group, observer);
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
