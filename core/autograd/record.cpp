#include "core/autograd/record.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"

namespace mrcnn {
namespace {

thread_local bool t_grad_enabled = true;

}  // namespace

bool grad_enabled() { return t_grad_enabled; }

NoGradGuard::NoGradGuard() : previous_(std::exchange(t_grad_enabled, false)) {}
NoGradGuard::~NoGradGuard() { t_grad_enabled = previous_; }

Tensor record(const char* name, const Tensor& output, std::vector<Tensor> inputs,
              BackwardFunction backward) {
  if (std::none_of(inputs.begin(), inputs.end(), needs_grad)) return output;
  if (!is_floating(output.dtype())) {
    throw DTypeError("[" + std::string(name) + "] only floating types have gradients: output " +
                     output.describe());
  }
  const std::shared_ptr<GradNode> node = make_grad_node(name, output);
  for (const Tensor& input : inputs) node->inputs.push_back(input.grad_node());
  node->backward = std::move(backward);
  return output.with_grad_node(node);
}

}  // namespace mrcnn
