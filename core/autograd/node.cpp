#include "core/autograd/node.h"

#include <atomic>
#include <utility>

namespace mrcnn {

GradNode::~GradNode() {
  // Inputs that only this node holds would be destroyed from here, and theirs from there. They are
  // taken off one by one instead.
  std::vector<std::shared_ptr<GradNode>> pending = std::move(inputs);
  while (!pending.empty()) {
    const std::shared_ptr<GradNode> node = std::move(pending.back());
    pending.pop_back();
    if (!node || node.use_count() > 1) continue;
    for (std::shared_ptr<GradNode>& input : node->inputs) pending.push_back(std::move(input));
    node->inputs.clear();
  }
}

std::shared_ptr<GradNode> make_grad_node(const char* name, const Tensor& tensor) {
  static std::atomic<uint64_t> next_sequence{1};
  auto node = std::make_shared<GradNode>();
  node->name = name;
  node->sequence = next_sequence.fetch_add(1);
  node->shape = tensor.shape();
  node->dtype = tensor.dtype();
  node->device = tensor.device();
  return node;
}

}  // namespace mrcnn
