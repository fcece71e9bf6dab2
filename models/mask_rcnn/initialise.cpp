#include "models/mask_rcnn/initialise.h"

#include <string_view>

#include "layers/init.h"

namespace mrcnn {
namespace {

enum class Role { kBody, kNeck, kRpn, kTorchvisionHeadConv, kMask, kLinear };

bool has_part(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

Role role_of(std::string_view name, const Parameter& weight) {
  if (name.starts_with("backbone.body.")) return Role::kBody;
  if (name.starts_with("backbone.")) return Role::kNeck;
  if (name.starts_with("rpn.")) return Role::kRpn;
  if (weight.file_shape.size() < 4) return Role::kLinear;
  return has_part(name, "box_head.") || has_part(name, "mask_head.") ? Role::kTorchvisionHeadConv
                                                                     : Role::kMask;
}

// A norm's parameters have one axis and no weight of more axes beside them.
void initialise_norm(std::string_view name, Parameter& parameter) {
  const bool one = name.ends_with("weight") || name.ends_with("running_var");
  init_constant(parameter, one ? 1 : 0);
}

void initialise_weight(Role role, Parameter& weight, const InitKey& key) {
  switch (role) {
    case Role::kNeck:
      return init_kaiming_uniform(weight, key);
    case Role::kRpn:
      return init_normal(weight, key, 0.01);
    case Role::kLinear:
      return init_default_weight(weight, key);
    default:
      return init_kaiming_normal(weight, key);
  }
}

void initialise_bias(Role role, Parameter& bias, const Parameter& weight, const InitKey& key) {
  if (role == Role::kMask || role == Role::kLinear) return init_default_bias(bias, weight, key);
  init_constant(bias, 0);
}

}  // namespace

std::vector<std::string> initialise_missing(Module& root, uint64_t seed) {
  std::vector<std::string> names;
  const Parameter* weight = nullptr;  // of the layer whose bias comes next
  std::string weight_name;
  root.visit_parameters([&](const std::string& name, Parameter& parameter) {
    if (parameter.file_shape.size() >= 2) {
      weight = &parameter;
      weight_name = name;
    }
    if (parameter.value.defined()) return;
    names.push_back(name);
    const InitKey key{.seed = seed, .name = name};
    if (parameter.file_shape.size() >= 2) {
      return initialise_weight(role_of(name, parameter), parameter, key);
    }
    const bool is_bias_of_weight =
        weight != nullptr && name.ends_with(".bias") &&
        std::string_view(name).substr(0, name.size() - 4) ==
            std::string_view(weight_name).substr(0, weight_name.size() - 6);
    if (!is_bias_of_weight) return initialise_norm(name, parameter);
    initialise_bias(role_of(name, *weight), parameter, *weight, key);
  });
  return names;
}

void initialise(Module& root, uint64_t seed) {
  root.visit_parameters(
      [](const std::string&, Parameter& parameter) { parameter.value = Tensor{}; });
  initialise_missing(root, seed);
}

}  // namespace mrcnn
