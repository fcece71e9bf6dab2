#include "layers/module.h"

namespace mrcnn {
namespace {

std::string indent_continuation(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

}  // namespace

void Module::visit_parameters(const std::function<void(const std::string&, Parameter&)>& visitor) {
  visit("", visitor);
}

void Module::visit_parameters(
    const std::function<void(const std::string&, const Parameter&)>& visitor) const {
  visit("",
        [&visitor](const std::string& name, Parameter& parameter) { visitor(name, parameter); });
}

void Module::visit(const std::string& prefix,
                   const std::function<void(const std::string&, Parameter&)>& visitor) const {
  for (const auto& [name, parameter] : parameters_) visitor(prefix + name, *parameter);
  for (const auto& [name, child] : children_) child->visit(prefix + name + ".", visitor);
}

std::string Module::to_string() const {
  if (children_.empty()) return type_name() + "(" + arguments() + ")";
  std::string text = type_name() + "(\n";
  for (const auto& [name, child] : children_) {
    text += "  (" + name + "): " + indent_continuation(child->to_string()) + "\n";
  }
  return text + ")";
}

void Module::register_child(std::string name, Module& child) {
  children_.emplace_back(std::move(name), &child);
}

void Module::register_parameter(std::string name, Parameter& parameter) {
  parameters_.emplace_back(std::move(name), &parameter);
}

}  // namespace mrcnn
