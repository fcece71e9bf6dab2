// A way to look on while a model runs: to time its stages and to compare its intermediate results.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

// Either function may be empty.
struct Observer {
  // A stage ended: "preprocess", "body", "neck", "rpn_head", "propose", then per image "box_head",
  // "detect", "mask_head".
  std::function<void(std::string_view stage)> stage_ended;
  // An intermediate result: "input", "body/0".. (C2.., or only the last), "neck/0"..,
  // "rpn/logits/0".., "rpn/deltas/0".., "proposals", "box/logits", "box/deltas", "network_boxes".
  std::function<void(std::string_view name, const Tensor& value)> tensor;

  void ended(std::string_view stage) const {
    if (stage_ended) stage_ended(stage);
  }
  void see(std::string_view name, const Tensor& value) const {
    if (tensor) tensor(name, value);
  }
  // prefix0, prefix1, ... from first_number on.
  void see_all(const std::string& prefix, const std::vector<Tensor>& values,
               size_t first_number = 0) const {
    if (!tensor) return;
    for (size_t i = 0; i < values.size(); ++i) {
      tensor(prefix + std::to_string(first_number + i), values[i]);
    }
  }
};

}  // namespace mrcnn
