// Everything that makes one Mask R-CNN differ from another. Presets are in models/zoo.h; each
// default there names its source.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/detection/rpn_proposals.h"
#include "kernels/detection/training_targets.h"
#include "kernels/image/resize_normalize_pad.h"
#include "layers/norm.h"

namespace mrcnn {

// Whose parameter names and module tree a model carries.
enum class Naming { kOriginal, kTorchvision };

enum class BlockKind { kBasic, kBottleneck };

struct ResNetConfig {
  BlockKind block = BlockKind::kBottleneck;
  std::array<int64_t, 4> blocks{3, 4, 6, 3};
  NormKind norm = NormKind::kFrozen;
  double norm_eps = 1e-5;
  // Where a stage halves the resolution: the 3x3 convolution (ResNet v1.5) or the first 1x1
  // (He et al. 2015; detectron2's converted weights).
  bool stride_in_1x1 = false;
};

struct InputConfig {
  ResizeParams resize;
  ResizeNormalizePadParams normalization;  // and the divisor that padded sizes are multiples of
};

struct AnchorConfig {
  std::vector<std::vector<double>> sizes;  // per level, pixels
  std::vector<double> ratios;              // height / width
  bool round = false;                      // base anchors to integers, half to even
};

struct RpnConfig {
  int64_t num_convs = 1;
  int64_t pre_nms_top_n = 1000;   // per level
  int64_t post_nms_top_n = 1000;  // per image, over all levels
  double nms_threshold = 0.7;
  float min_size = 0.0F;                              // pixels; smaller boxes are dropped
  ProposalScore score = ProposalScore::kProbability;  // what NMS ranks by
};

// How regions are cut out of the maps, for both heads.
struct RoiConfig {
  bool aligned = false;        // half-pixel shift: detectron2's "v2" definition
  int64_t sampling_ratio = 2;  // 0: as many samples as the region's size asks for
};

enum class BoxHeadKind { kTwoFc, kFourConvOneFc };

struct BoxConfig {
  BoxHeadKind head = BoxHeadKind::kTwoFc;
  int64_t hidden = 1024;
  float min_size = 0.0F;
  bool score_at_least = false;  // keep score >= threshold instead of score > threshold
};

struct MaskConfig {
  int64_t num_convs = 4;
  // The pasted mask covers x2 - x1 + extra pixels of the truncated box: 1 in torchvision, 0 in the
  // original system.
  int64_t paste_extra_pixel = 1;
};

// What a user may change per run.
struct InferenceConfig {
  float score_threshold = 0.05F;
  double nms_threshold = 0.5;
  int64_t max_detections = 100;
  float mask_threshold = 0.5F;  // a pixel belongs to the object if its probability is above
  // The original system's faults: boxes rescaled by the padded size and clipped to it, the
  // detection limit applied per class, detections ordered by class.
  bool compat = false;
};

// Targets and losses. The defaults are those of both references unless a preset says otherwise.
struct TrainingConfig {
  int64_t pre_nms_top_n = 2000;  // proposals per level
  int64_t post_nms_top_n = 2000;
  float rpn_fg_threshold = 0.7F;  // IoU
  float rpn_bg_threshold = 0.3F;
  int64_t rpn_samples = 256;  // anchors per image
  double rpn_positive_fraction = 0.5;
  float roi_fg_threshold = 0.5F;
  float roi_bg_threshold = 0.5F;
  int64_t roi_samples = 512;  // RoIs per image
  double roi_positive_fraction = 0.25;
  float rpn_box_beta = 1.0F / 9;  // of the smooth L1 loss; 0: plain L1
  float roi_box_beta = 1.0F / 9;
  LossNormalisation normalisation = LossNormalisation::kBatch;
  // The original system's faults: proposals clipped to the padded image, annotated boxes without
  // overlap to any anchor making positives of all anchors without overlap.
  bool compat = false;
};

struct MaskRcnnConfig {
  std::string name;
  Naming naming = Naming::kTorchvision;
  int64_t num_classes = 91;  // including background 0
  InputConfig input;
  ResNetConfig backbone;
  bool fpn = true;                       // false: one map at stride 32
  NormKind neck_norm = NormKind::kNone;  // in the FPN, box and mask heads
  double neck_norm_eps = 1e-5;
  int64_t channels = 256;
  AnchorConfig anchors;
  RpnConfig rpn;
  RoiConfig roi;
  BoxConfig box;
  MaskConfig mask;
  InferenceConfig inference;
  TrainingConfig training;
};

}  // namespace mrcnn
