// What one image costs: parameters, arithmetic and activations, stage by stage, from the shapes
// alone. FLOPs are 2 x multiply-adds of convolutions and products; RoIAlign, NMS and element-wise
// work, a few percent, are not counted. Activation bytes are the f32 outputs of those layers,
// each counted once (normalisation, ReLU and residual additions are fused into them).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/mask_rcnn/config.h"

namespace mrcnn {

struct StageCost {
  std::string stage;
  int64_t parameters = 0;  // values of weights and biases
  int64_t buffers = 0;     // values of constants: frozen norms, running statistics
  double flops = 0;
  double activation_bytes = 0;
};

struct CostInput {
  int64_t height = 800;  // of the padded network input, multiples of 32
  int64_t width = 1344;
  int64_t num_proposals = 1000;
  int64_t num_detections = 100;
};

// Stages in order: stem, layer1..layer4, neck, rpn, box_head, mask_head. The mask head computes
// the predicted class's map only; `all_mask_classes` counts all K maps, as the references do.
std::vector<StageCost> model_cost(const MaskRcnnConfig& config, const CostInput& input,
                                  bool all_mask_classes = false);

}  // namespace mrcnn
