#include "models/zoo.h"

#include "core/error.h"

namespace mrcnn {
namespace {

// torchvision models/detection/mask_rcnn.py and faster_rcnn.py, defaults of the constructors.
MaskRcnnConfig torchvision_fpn() {
  MaskRcnnConfig config;
  config.naming = Naming::kTorchvision;
  config.input.resize = {.min_size = 800, .max_size = 1333, .rule = SizeRule::kTorchvisionDouble};
  config.anchors = {
      .sizes = {{32}, {64}, {128}, {256}, {512}}, .ratios = {0.5, 1.0, 2.0}, .round = true};
  config.rpn = {.num_convs = 1,
                .pre_nms_top_n = 1000,
                .post_nms_top_n = 1000,
                .nms_threshold = 0.7,
                .min_size = 1e-3F};
  config.box = {
      .head = BoxHeadKind::kTwoFc, .hidden = 1024, .min_size = 1e-2F, .score_at_least = false};
  config.inference = {.score_threshold = 0.05F, .nms_threshold = 0.5, .max_detections = 100};
  return config;
}

// eps 0: torchvision resets the eps of every frozen norm when it loads its published weights.
// Other weights carry theirs in the metadata.
MaskRcnnConfig resnet50_fpn() {
  MaskRcnnConfig config = torchvision_fpn();
  config.backbone = {.norm = NormKind::kFrozen, .norm_eps = 0.0};
  return config;
}

// torchvision maskrcnn_resnet50_fpn_v2 (Li et al. 2021, "Benchmarking detection transfer
// learning").
MaskRcnnConfig resnet50_fpn_v2() {
  MaskRcnnConfig config = torchvision_fpn();
  config.backbone = {.norm = NormKind::kBatch, .norm_eps = 1e-5};
  config.neck_norm = NormKind::kBatch;
  config.neck_norm_eps = 1e-5;
  config.rpn.num_convs = 2;
  config.box.head = BoxHeadKind::kFourConvOneFc;
  return config;
}

// The original system: one map at stride 32, nine unrounded anchors a cell, torchvision 0.9's
// frozen norm with eps 1e-5.
MaskRcnnConfig resnet50_c5() {
  MaskRcnnConfig config;
  config.naming = Naming::kOriginal;
  config.input.resize = {.min_size = 800, .max_size = 1333, .rule = SizeRule::kOriginalRound};
  config.backbone = {.norm = NormKind::kFrozen, .norm_eps = 1e-5};
  config.fpn = false;
  config.anchors = {.sizes = {{128, 256, 512}}, .ratios = {0.5, 1.0, 2.0}, .round = false};
  config.rpn = {.num_convs = 1,
                .pre_nms_top_n = 1000,
                .post_nms_top_n = 1000,
                .nms_threshold = 0.7,
                .min_size = 1.0F,
                .score = ProposalScore::kLogit};
  config.box = {
      .head = BoxHeadKind::kTwoFc, .hidden = 1024, .min_size = 1.0F, .score_at_least = true};
  config.mask.paste_extra_pixel = 0;
  config.inference = {.score_threshold = 0.1F, .nms_threshold = 0.6, .max_detections = 100};
  config.training.rpn_box_beta = 0;
  config.training.roi_box_beta = 1;
  return config;
}

// Ours, for small data: an eighth of the arithmetic per pixel and a third of the pixels, anchors
// half as large. Tried and left: batch norms in the pyramid and the heads (the losses fall later),
// 128 channels there (half of a step's time in the mask head for no better masks).
MaskRcnnConfig resnet18_fpn() {
  MaskRcnnConfig config = torchvision_fpn();
  config.input.resize.min_size = 320;
  config.input.resize.max_size = 533;
  config.backbone = {.block = BlockKind::kBasic,
                     .blocks = {2, 2, 2, 2},
                     .norm = NormKind::kBatch,
                     .norm_eps = 1e-5};
  config.anchors.sizes = {{16}, {32}, {64}, {128}, {256}};
  config.channels = 96;
  config.box.hidden = 512;
  return config;
}

struct Row {
  const char* name;
  MaskRcnnConfig (*preset)();
};

constexpr Row kRows[] = {
    {"maskrcnn_resnet50_c5", resnet50_c5},
    {"maskrcnn_resnet50_fpn", resnet50_fpn},
    {"maskrcnn_resnet50_fpn_v2", resnet50_fpn_v2},
    {"maskrcnn_resnet18_fpn", resnet18_fpn},
};

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

MaskRcnnConfig model_config(std::string_view name, int64_t num_classes) {
  if (num_classes < 2 || num_classes > 100000) {
    throw UsageError("number of classes " + std::to_string(num_classes) +
                     " is not in 2..100000 (background counts)");
  }
  std::string known;
  for (const Row& row : kRows) {
    if (name == row.name) {
      MaskRcnnConfig config = row.preset();
      config.name = row.name;
      config.num_classes = num_classes;
      return config;
    }
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw UsageError("unknown model '" + std::string(name) + "'; known: " + known);
}

}  // namespace mrcnn
