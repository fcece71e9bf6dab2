#include "core/autograd/engine.h"

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/autograd/grad_mode.h"
#include "core/autograd/node.h"
#include "core/error.h"
#include "core/primitives.h"

namespace mrcnn {
namespace {

struct Pending {
  std::shared_ptr<GradNode> node;
  Tensor grad;
};

// Those still to run, the one recorded last first.
using Queue = std::map<uint64_t, Pending, std::greater<>>;

void check_gradient(const GradNode& from, const GradNode& to, const Tensor& grad) {
  if (grad.shape() != to.shape || grad.device() != to.device) {
    throw ShapeError("[backward] '" + std::string(from.name) + "' gives a gradient " +
                     grad.describe() + " for an input " + to.shape.to_string() + " " +
                     to.device.to_string());
  }
  if (grad.dtype() != to.dtype) {
    throw DTypeError("[backward] '" + std::string(from.name) + "' gives a gradient " +
                     grad.describe() + " for an input of " + std::string(dtype_name(to.dtype)));
  }
}

// sum += grad; into the buffer itself only where nobody else holds it.
void add_gradient(Tensor& sum, const Tensor& grad) {
  if (!sum.defined()) {
    sum = grad;
    return;
  }
  if (sum.is_shared()) sum = sum.clone();
  accumulate_(sum, grad);
}

void deliver(Queue& queue, const std::shared_ptr<GradNode>& node, const Tensor& grad) {
  if (node->leaf) {
    add_gradient(node->grad, grad);
    return;
  }
  Pending& pending = queue[node->sequence];
  pending.node = node;
  add_gradient(pending.grad, grad);
}

void run_node(Queue& queue, GradNode& node, Tensor grad) {
  if (node.consumed) {
    throw Error(ExitCode::kInternal, "[backward] the graph of '" + std::string(node.name) +
                                         "' ran backwards before and was freed");
  }
  node.consumed = true;
  std::vector<Tensor> gradients;
  {
    const BackwardFunction function = std::exchange(node.backward, nullptr);
    gradients = function(grad);
    grad = Tensor{};
  }
  const auto inputs = std::exchange(node.inputs, {});
  if (gradients.size() != inputs.size()) {
    throw ShapeError("[backward] '" + std::string(node.name) + "' gives " +
                     std::to_string(gradients.size()) + " gradients for " +
                     std::to_string(inputs.size()) + " inputs");
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor gradient = std::move(gradients[i]);
    if (!inputs[i] || !gradient.defined()) continue;
    check_gradient(node, *inputs[i], gradient);
    deliver(queue, inputs[i], gradient.detach());
  }
}

void run(Queue& queue) {
  const NoGradGuard no_grad;
  while (!queue.empty()) {
    auto first = queue.extract(queue.begin());
    Pending pending = std::move(first.mapped());
    run_node(queue, *pending.node, std::move(pending.grad));
  }
}

}  // namespace

void backward(std::span<const Tensor> roots, double scale) {
  Queue queue;
  for (const Tensor& root : roots) {
    if (root.numel() != 1 || !root.defined()) {
      throw ShapeError("[backward] a root must be one number: " + root.describe());
    }
    if (!root.requires_grad()) continue;
    const Tensor grad = Tensor::empty(root.shape(), root.dtype(), root.device());
    fill_(grad, scale);
    deliver(queue, root.grad_node(), grad);
  }
  run(queue);
}

void backward(const Tensor& root, double scale) { backward(std::span(&root, 1), scale); }

void backward_from(const Tensor& root, const Tensor& grad_root) {
  if (!root.requires_grad()) return;
  const GradNode& node = *root.grad_node();
  check_gradient(node, node, grad_root);
  Queue queue;
  deliver(queue, root.grad_node(), grad_root.detach());
  run(queue);
}

}  // namespace mrcnn
