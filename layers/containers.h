// Modules without parameters of their own.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"

namespace mrcnn {

// A leaf that only appears in the printed tree; its arithmetic is fused into its neighbour.
class Marker : public Module {
 public:
  explicit Marker(std::string type, std::string arguments = "")
      : type_(std::move(type)), arguments_(std::move(arguments)) {}
  std::string type_name() const override { return type_; }
  std::string arguments() const override { return arguments_; }

 private:
  std::string type_;
  std::string arguments_;
};

// Owns its children, which are named when added ("0", "1", ... if no name is given).
class Container : public Module {
 public:
  explicit Container(std::string type = "Sequential") : type_(std::move(type)) {}
  std::string type_name() const override { return type_; }

  template <typename M, typename... Args>
  M& add(const std::string& name, Args&&... args) {
    auto child = std::make_unique<M>(std::forward<Args>(args)...);
    M& reference = *child;
    register_child(name.empty() ? std::to_string(children().size()) : name, reference);
    owned_.push_back(std::move(child));
    return reference;
  }

 private:
  std::string type_;
  std::vector<std::unique_ptr<Module>> owned_;
};

inline constexpr const char* kReluArguments = "inplace=True";

}  // namespace mrcnn
