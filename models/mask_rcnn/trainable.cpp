#include "models/mask_rcnn/trainable.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace mrcnn {
namespace {

constexpr std::string_view kBody = "backbone.body.";
constexpr std::array<std::string_view, 5> kParts = {"layer4.", "layer3.", "layer2.", "layer1.",
                                                    "conv1."};

bool body_trains(std::string_view name, int64_t parts) {
  if (!name.starts_with(kBody)) return true;
  name.remove_prefix(kBody.size());
  if (name.starts_with("bn1.")) return parts == static_cast<int64_t>(kParts.size());
  return std::any_of(kParts.begin(), kParts.begin() + parts,
                     [name](std::string_view part) { return name.starts_with(part); });
}

}  // namespace

bool is_trainable(std::string_view name, const Parameter& parameter, const FreezeRules& rules) {
  const int64_t parts = rules.trainable_body_parts;
  if (parts < 0 || parts > static_cast<int64_t>(kParts.size())) {
    throw UsageError("trainable body parts " + std::to_string(parts) + " are not in 0..5");
  }
  if (parameter.is_buffer || !body_trains(name, parts)) return false;
  return std::none_of(rules.frozen_prefixes.begin(), rules.frozen_prefixes.end(),
                      [name](const std::string& prefix) { return name.starts_with(prefix); });
}

std::vector<NamedParameter> select_trainable(Module& root, const FreezeRules& rules) {
  std::vector<NamedParameter> trainable;
  std::vector<bool> used(rules.frozen_prefixes.size());
  root.visit_parameters([&](const std::string& name, Parameter& parameter) {
    for (size_t i = 0; i < used.size(); ++i) {
      if (name.starts_with(rules.frozen_prefixes[i])) used[i] = true;
    }
    parameter.value = parameter.value.detach();
    if (!is_trainable(name, parameter, rules)) return;
    parameter.value.require_grad();
    trainable.push_back({.name = name, .parameter = &parameter});
  });
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) {
      throw UsageError("no parameter starts with '" + rules.frozen_prefixes[i] +
                       "'; `summary` lists them");
    }
  }
  return trainable;
}

}  // namespace mrcnn
