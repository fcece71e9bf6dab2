#include "core/autograd/node.h"

#include <atomic>
#include <utility>

namespace mrcnn {

GradNode::~GradNode() {
  // Inputs that only this node holds would be destroyed from here, and theirs from there. They are
  // taken off one by one instead, through a list that needs no memory: a graph also goes away when
  // there is none left.
  std::shared_ptr<GradNode> pending;
  const auto take_from = [&pending](std::vector<std::shared_ptr<GradNode>>& list) {
    for (std::shared_ptr<GradNode>& input : list) {
      const std::shared_ptr<GradNode> node = std::move(input);
      if (!node || node.use_count() > 1) continue;
      node->next_freed = std::move(pending);
      pending = node;
    }
    list.clear();
  };
  take_from(inputs);
  while (pending) {
    const std::shared_ptr<GradNode> node = std::move(pending);
    pending = std::move(node->next_freed);
    take_from(node->inputs);
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
