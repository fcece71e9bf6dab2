// A node of the model's tree: named parameters, named children. Names are the public contract:
// "backbone.body.layer1.0.conv1.weight" is the path through the tree, as the reference spells it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/parameter.h"

namespace mrcnn {

class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;  // children are registered by address
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual std::string type_name() const = 0;            // "Conv2d"
  virtual std::string arguments() const { return ""; }  // "3, 64, kernel_size=(7, 7), ..."

  const std::vector<std::pair<std::string, Module*>>& children() const { return children_; }

  // Visits every parameter and buffer with its full name: a module's own first (in order of
  // registration), then its children's. This is the reference's state_dict order.
  void visit_parameters(const std::function<void(const std::string&, Parameter&)>& visit);
  void visit_parameters(
      const std::function<void(const std::string&, const Parameter&)>& visit) const;

  // The tree as PyTorch prints it, without a final newline.
  std::string to_string() const;

 protected:
  void register_child(std::string name, Module& child);
  void register_parameter(std::string name, Parameter& parameter);

 private:
  void visit(const std::string& prefix,
             const std::function<void(const std::string&, Parameter&)>& visitor) const;

  std::vector<std::pair<std::string, Module*>> children_;
  std::vector<std::pair<std::string, Parameter*>> parameters_;
};

}  // namespace mrcnn
