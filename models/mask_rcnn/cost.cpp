#include "models/mask_rcnn/cost.h"

#include <map>
#include <string_view>

#include "layers/state_dict.h"
#include "models/mask_rcnn/tree.h"

namespace mrcnn {
namespace {

constexpr int64_t kBoxGrid = 7;    // RoIAlign output of the box head
constexpr int64_t kMaskGrid = 14;  // and of the mask head

struct Extent {
  int64_t height;
  int64_t width;
};

void add_product(StageCost& cost, int64_t rows, int64_t in, int64_t out) {
  cost.flops += 2.0 * static_cast<double>(rows) * static_cast<double>(in * out);
  cost.activation_bytes += 4.0 * static_cast<double>(rows) * static_cast<double>(out);
}

// Adds one convolution over `count` maps; returns the output's extent.
Extent add_conv(StageCost& cost, const Conv2d& conv, Extent input, int64_t count = 1) {
  const Conv2dOptions& o = conv.options();
  const auto out = [&o](int64_t size) { return (size + 2 * o.padding - o.kernel) / o.stride + 1; };
  const Extent output{out(input.height), out(input.width)};
  add_product(cost, count * output.height * output.width, conv.in_channels() * o.kernel * o.kernel,
              conv.out_channels());
  return output;
}

std::string stage_of(std::string_view name) {
  const auto has = [&name](std::string_view part) {
    return name.find(part) != std::string_view::npos;
  };
  for (const char* layer : {"layer1", "layer2", "layer3", "layer4"}) {
    if (has(std::string("body.") + layer)) return layer;
  }
  if (has("backbone.body.")) return "stem";
  if (has("backbone.")) return "neck";
  if (has("rpn.")) return "rpn";
  return has("mask_") ? "mask_head" : "box_head";
}

class CostModel {
 public:
  CostModel(const MaskRcnnConfig& config, const CostInput& input)
      : config_(config), input_(input), tree_(build_tree(config)) {
    for (const char* name :
         {"stem", "layer1", "layer2", "layer3", "layer4", "neck", "rpn", "box_head", "mask_head"}) {
      index_[name] = stages_.size();
      stages_.push_back({.stage = name});
    }
  }

  std::vector<StageCost> run(bool all_mask_classes) {
    count_parameters();
    add_heads(add_neck(add_body()));
    add_rois(all_mask_classes);
    return stages_;
  }

 private:
  StageCost& stage(const std::string& name) { return stages_[index_.at(name)]; }

  void count_parameters() {
    for (const ParameterInfo& info : parameter_list(*tree_.root)) {
      int64_t count = 1;
      for (const int64_t extent : info.file_shape) count *= extent;
      StageCost& cost = stage(stage_of(info.name));
      (info.is_buffer ? cost.buffers : cost.parameters) += count;
    }
  }

  std::vector<Extent> add_body() {
    const Extent stem =
        add_conv(stage("stem"), *tree_.body.stem.conv, {input_.height, input_.width});
    Extent x{(stem.height + 1) / 2, (stem.width + 1) / 2};  // max pool 3x3, stride 2, padding 1
    std::vector<Extent> maps;
    for (size_t s = 0; s < tree_.body.stages.size(); ++s) {
      StageCost& cost = stage("layer" + std::to_string(s + 1));
      for (const ResidualBlockLayers& block : tree_.body.stages[s]) {
        if (block.downsample.conv != nullptr) add_conv(cost, *block.downsample.conv, x);
        for (const ConvNorm& conv : block.convs) x = add_conv(cost, *conv.conv, x);
      }
      maps.push_back(x);
    }
    return maps;
  }

  std::vector<Extent> add_neck(const std::vector<Extent>& maps) {
    const size_t used = tree_.neck.inner_blocks.size();
    std::vector<Extent> outputs(maps.end() - static_cast<std::ptrdiff_t>(used), maps.end());
    for (size_t i = 0; i < used; ++i) {
      add_conv(stage("neck"), *tree_.neck.inner_blocks[i].conv, outputs[i]);
      add_conv(stage("neck"), *tree_.neck.layer_blocks[i].conv, outputs[i]);
    }
    if (config_.fpn) {
      outputs.push_back({(outputs.back().height + 1) / 2, (outputs.back().width + 1) / 2});
    }
    return outputs;
  }

  void add_heads(const std::vector<Extent>& maps) {
    StageCost& cost = stage("rpn");
    for (const Extent& map : maps) {
      for (const Conv2d* conv : tree_.rpn.convs) add_conv(cost, *conv, map);
      add_conv(cost, *tree_.rpn.logits, map);
      add_conv(cost, *tree_.rpn.deltas, map);
    }
  }

  void add_rois(bool all_mask_classes) {
    StageCost& box = stage("box_head");
    for (const ConvNorm& conv : tree_.box.convs) {
      add_conv(box, *conv.conv, {kBoxGrid, kBoxGrid}, input_.num_proposals);
    }
    int64_t in = config_.channels * kBoxGrid * kBoxGrid;
    for (size_t i = 0; i < tree_.box.fcs.size(); ++i) {
      add_product(box, input_.num_proposals, in, config_.box.hidden);
      in = config_.box.hidden;
    }
    add_product(box, input_.num_proposals, in, config_.num_classes * 5);
    StageCost& mask = stage("mask_head");
    for (const ConvNorm& conv : tree_.mask.convs) {
      add_conv(mask, *conv.conv, {kMaskGrid, kMaskGrid}, input_.num_detections);
    }
    const int64_t positions = input_.num_detections * kMaskGrid * kMaskGrid;
    add_product(mask, positions, config_.channels, config_.channels * 4);
    add_product(mask, positions * 4, config_.channels, all_mask_classes ? config_.num_classes : 1);
  }

  const MaskRcnnConfig& config_;
  CostInput input_;
  MaskRcnnTree tree_;
  std::vector<StageCost> stages_;
  std::map<std::string, size_t> index_;
};

}  // namespace

std::vector<StageCost> model_cost(const MaskRcnnConfig& config, const CostInput& input,
                                  bool all_mask_classes) {
  return CostModel(config, input).run(all_mask_classes);
}

}  // namespace mrcnn
