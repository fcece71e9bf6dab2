#include "models/mask_rcnn/tree.h"

#include <string>

namespace mrcnn {
namespace {

constexpr int64_t kBoxGrid = 7;  // RoIAlign output of the box head

int64_t anchors_per_cell(const MaskRcnnConfig& config) {
  return static_cast<int64_t>(config.anchors.sizes.front().size() * config.anchors.ratios.size());
}

ConvNorm add_conv_norm(Container& parent, const std::string& conv_name,
                       const std::string& norm_name, int64_t in, int64_t out, Conv2dOptions options,
                       NormKind norm, double eps) {
  ConvNorm layers;
  options.bias = norm == NormKind::kNone;
  layers.conv = &parent.add<Conv2d>(conv_name, in, out, options);
  if (norm != NormKind::kNone) layers.norm = &parent.add<BatchNorm2d>(norm_name, out, norm, eps);
  return layers;
}

ResidualBlockLayers add_block(Container& stage, const ResNetConfig& config, int64_t in,
                              int64_t width, int64_t stride) {
  const bool bottleneck = config.block == BlockKind::kBottleneck;
  const int64_t out = bottleneck ? width * 4 : width;
  auto& block = stage.add<Container>("", bottleneck ? "Bottleneck" : "BasicBlock");
  ResidualBlockLayers layers;
  const auto add = [&](int index, int64_t from, int64_t to, const Conv2dOptions& options) {
    const std::string number = std::to_string(index);
    layers.convs.push_back(add_conv_norm(block, "conv" + number, "bn" + number, from, to, options,
                                         config.norm, config.norm_eps));
  };
  if (bottleneck) {
    const int64_t stride_1x1 = config.stride_in_1x1 ? stride : 1;
    add(1, in, width, {.kernel = 1, .stride = stride_1x1});
    add(2, width, width, {.kernel = 3, .stride = stride / stride_1x1, .padding = 1});
    add(3, width, out, {.kernel = 1});
    block.add<Marker>("relu", "ReLU", kReluArguments);
  } else {
    add(1, in, width, {.kernel = 3, .stride = stride, .padding = 1});
    block.add<Marker>("relu", "ReLU", kReluArguments);
    add(2, width, width, {.kernel = 3, .padding = 1});
  }
  if (stride != 1 || in != out) {
    auto& shortcut = block.add<Container>("downsample");
    layers.downsample = add_conv_norm(shortcut, "", "", in, out, {.kernel = 1, .stride = stride},
                                      config.norm, config.norm_eps);
  }
  return layers;
}

void add_body(Container& backbone, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  const ResNetConfig& resnet = config.backbone;
  const bool original = config.naming == Naming::kOriginal;
  auto& body = backbone.add<Container>("body", original ? "ModuleDict" : "IntermediateLayerGetter");
  tree.body.stem =
      add_conv_norm(body, "conv1", "bn1", 3, 64, {.kernel = 7, .stride = 2, .padding = 3},
                    resnet.norm, resnet.norm_eps);
  body.add<Marker>("relu", "ReLU", kReluArguments);
  body.add<Marker>("maxpool", "MaxPool2d",
                   "kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False");
  const int64_t expansion = resnet.block == BlockKind::kBottleneck ? 4 : 1;
  int64_t in = 64;
  for (size_t s = 0; s < tree.body.stages.size(); ++s) {
    auto& stage = body.add<Container>("layer" + std::to_string(s + 1));
    const int64_t width = int64_t{64} << s;
    for (int64_t b = 0; b < resnet.blocks[s]; ++b) {
      const int64_t stride = s > 0 && b == 0 ? 2 : 1;
      tree.body.stages[s].push_back(add_block(stage, resnet, in, width, stride));
      in = width * expansion;
    }
  }
}

void add_neck(Container& backbone, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  const int64_t expansion = config.backbone.block == BlockKind::kBottleneck ? 4 : 1;
  const int64_t c5 = 512 * expansion;
  if (!config.fpn) {
    tree.neck.inner_blocks.push_back(
        {&backbone.add<Conv2d>("inner_block_module", c5, config.channels, Conv2dOptions{}),
         nullptr});
    tree.neck.layer_blocks.push_back(
        {&backbone.add<Conv2d>("layer_block_module", config.channels, config.channels,
                               Conv2dOptions{.kernel = 3, .padding = 1}),
         nullptr});
    return;
  }
  auto& fpn = backbone.add<Container>("fpn", "FeaturePyramidNetwork");
  auto& inner = fpn.add<Container>("inner_blocks", "ModuleList");
  auto& layer = fpn.add<Container>("layer_blocks", "ModuleList");
  for (int64_t level = 0; level < 4; ++level) {
    const int64_t in = (int64_t{64} << level) * expansion;
    auto& lateral = inner.add<Container>("", "Conv2dNormActivation");
    tree.neck.inner_blocks.push_back(add_conv_norm(lateral, "", "", in, config.channels, {},
                                                   config.neck_norm, config.neck_norm_eps));
    auto& output = layer.add<Container>("", "Conv2dNormActivation");
    tree.neck.layer_blocks.push_back(add_conv_norm(output, "", "", config.channels, config.channels,
                                                   {.kernel = 3, .padding = 1}, config.neck_norm,
                                                   config.neck_norm_eps));
  }
  fpn.add<Marker>("extra_blocks", "LastLevelMaxPool");
}

void add_rpn(Container& root, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  auto& rpn = root.add<Container>("rpn", "RegionProposalNetwork");
  const bool original = config.naming == Naming::kOriginal;
  if (!original) rpn.add<Marker>("anchor_generator", "AnchorGenerator");
  auto& head = rpn.add<Container>("head", "RPNHead");
  const Conv2dOptions options{.kernel = 3, .padding = 1};
  const int64_t channels = config.channels;
  if (original) {
    tree.rpn.convs.push_back(&head.add<Conv2d>("conv", channels, channels, options));
  } else {
    auto& convs = head.add<Container>("conv");
    for (int64_t i = 0; i < config.rpn.num_convs; ++i) {
      auto& conv = convs.add<Container>("", "Conv2dNormActivation");
      tree.rpn.convs.push_back(&conv.add<Conv2d>("", channels, channels, options));
      conv.add<Marker>("", "ReLU", kReluArguments);
    }
  }
  const int64_t anchors = anchors_per_cell(config);
  tree.rpn.logits = &head.add<Conv2d>("cls_logits", channels, anchors, Conv2dOptions{});
  tree.rpn.deltas = &head.add<Conv2d>("bbox_pred", channels, anchors * 4, Conv2dOptions{});
}

void add_original_heads(Container& root, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  const int64_t channels = config.channels;
  const int64_t hidden = config.box.hidden;
  auto& head = root.add<Container>("head", "RoIHeads");
  auto& box = head.add<Container>("box_predictor", "FastRCNNPredictor");
  constexpr int64_t kPositions = kBoxGrid * kBoxGrid;
  tree.box.fcs.push_back(&box.add<Linear>("fc1", channels * kPositions, hidden, kPositions));
  tree.box.fcs.push_back(&box.add<Linear>("fc2", hidden, hidden));
  tree.box.class_score = &box.add<Linear>("cls_score", hidden, config.num_classes);
  tree.box.box_deltas = &box.add<Linear>("bbox_pred", hidden, config.num_classes * 4);
  auto& mask = head.add<Container>("mask_predictor", "MaskRCNNPredictor");
  for (int64_t i = 1; i <= config.mask.num_convs; ++i) {
    const std::string number = std::to_string(i);
    tree.mask.convs.push_back({&mask.add<Conv2d>("mask_fcn" + number, channels, channels,
                                                 Conv2dOptions{.kernel = 3, .padding = 1}),
                               nullptr});
    mask.add<Marker>("relu" + number, "ReLU", kReluArguments);
  }
  tree.mask.upsample = &mask.add<ConvTranspose2d>("mask_conv5", channels, channels, 2);
  mask.add<Marker>("relu" + std::to_string(config.mask.num_convs + 1), "ReLU", kReluArguments);
  tree.mask.logits =
      &mask.add<Conv2d>("mask_fcn_logits", channels, config.num_classes, Conv2dOptions{});
}

void add_box_head(Container& heads, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  const int64_t channels = config.channels;
  const int64_t hidden = config.box.hidden;
  constexpr int64_t kPositions = kBoxGrid * kBoxGrid;
  heads.add<Marker>("box_roi_pool", "MultiScaleRoIAlign",
                    "featmap_names=['0', '1', '2', '3'], output_size=(7, 7), sampling_ratio=2");
  if (config.box.head == BoxHeadKind::kTwoFc) {
    auto& head = heads.add<Container>("box_head", "TwoMLPHead");
    tree.box.fcs.push_back(&head.add<Linear>("fc6", channels * kPositions, hidden, kPositions));
    tree.box.fcs.push_back(&head.add<Linear>("fc7", hidden, hidden));
  } else {
    auto& head = heads.add<Container>("box_head", "FastRCNNConvFCHead");
    for (int i = 0; i < 4; ++i) {
      auto& conv = head.add<Container>("", "Conv2dNormActivation");
      tree.box.convs.push_back(add_conv_norm(conv, "", "", channels, channels,
                                             {.kernel = 3, .padding = 1}, config.neck_norm,
                                             config.neck_norm_eps));
      conv.add<Marker>("", "ReLU", kReluArguments);
    }
    head.add<Marker>("", "Flatten", "start_dim=1, end_dim=-1");
    tree.box.fcs.push_back(&head.add<Linear>("", channels * kPositions, hidden, kPositions));
    head.add<Marker>("", "ReLU", kReluArguments);
  }
  auto& predictor = heads.add<Container>("box_predictor", "FastRCNNPredictor");
  tree.box.class_score = &predictor.add<Linear>("cls_score", hidden, config.num_classes);
  tree.box.box_deltas = &predictor.add<Linear>("bbox_pred", hidden, config.num_classes * 4);
}

void add_mask_head(Container& heads, const MaskRcnnConfig& config, MaskRcnnTree& tree) {
  const int64_t channels = config.channels;
  heads.add<Marker>("mask_roi_pool", "MultiScaleRoIAlign",
                    "featmap_names=['0', '1', '2', '3'], output_size=(14, 14), sampling_ratio=2");
  auto& head = heads.add<Container>("mask_head", "MaskRCNNHeads");
  for (int64_t i = 0; i < config.mask.num_convs; ++i) {
    auto& conv = head.add<Container>("", "Conv2dNormActivation");
    tree.mask.convs.push_back(add_conv_norm(conv, "", "", channels, channels,
                                            {.kernel = 3, .padding = 1}, config.neck_norm,
                                            config.neck_norm_eps));
    conv.add<Marker>("", "ReLU", kReluArguments);
  }
  auto& predictor = heads.add<Container>("mask_predictor", "MaskRCNNPredictor");
  tree.mask.upsample = &predictor.add<ConvTranspose2d>("conv5_mask", channels, channels, 2);
  predictor.add<Marker>("relu", "ReLU", kReluArguments);
  tree.mask.logits =
      &predictor.add<Conv2d>("mask_fcn_logits", channels, config.num_classes, Conv2dOptions{});
}

}  // namespace

MaskRcnnTree build_tree(const MaskRcnnConfig& config) {
  const bool original = config.naming == Naming::kOriginal;
  MaskRcnnTree tree;
  tree.root = std::make_unique<Container>("MaskRCNN");
  auto& backbone =
      tree.root->add<Container>("backbone", original ? "ResBackbone" : "BackboneWithFPN");
  add_body(backbone, config, tree);
  add_neck(backbone, config, tree);
  add_rpn(*tree.root, config, tree);
  if (original) {
    add_original_heads(*tree.root, config, tree);
  } else {
    auto& heads = tree.root->add<Container>("roi_heads", "RoIHeads");
    add_box_head(heads, config, tree);
    add_mask_head(heads, config, tree);
  }
  return tree;
}

}  // namespace mrcnn
