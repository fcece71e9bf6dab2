// Which parameters of a Mask R-CNN are trained.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layers/module.h"
#include "layers/optim/sgd.h"

namespace mrcnn {

struct FreezeRules {
  // How many parts of the body are trained, from the top: layer4, layer3, layer2, layer1, conv1
  // (0..5). With fewer than 5 the stem's norm is frozen too. torchvision's
  // trainable_backbone_layers and the original system: 3.
  int64_t trainable_body_parts = 5;
  std::vector<std::string> frozen_prefixes = {};  // more parameters, by the start of their names
};

// Buffers are never trained. Throws UsageError on a number of parts outside 0..5.
bool is_trainable(std::string_view name, const Parameter& parameter, const FreezeRules& rules);

// Makes the trainable parameters leaves of the tape and the others constants; returns the former in
// the order of the state dict. Throws UsageError if a frozen prefix matches no parameter.
std::vector<NamedParameter> select_trainable(Module& root, const FreezeRules& rules);

}  // namespace mrcnn
