// An entry of the tape: how the gradient of a tensor becomes the gradients of what it was made of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/device.h"
#include "core/dtype.h"
#include "core/shape.h"
#include "core/tensor.h"

namespace mrcnn {

// From the gradient of the output to one gradient per input; empty where an input needs none.
// A gradient has its input's shape, type and device.
using BackwardFunction = std::function<std::vector<Tensor>(const Tensor& grad_output)>;

struct GradNode {
  const char* name = "";
  uint64_t sequence = 0;  // larger than that of everything this was made of
  Shape shape;            // of the tensor, and so of its gradient
  DType dtype = DType::kF32;
  Device device;
  bool leaf = false;                              // a parameter: gradients end and add up here
  bool consumed = false;                          // its backward function ran and is gone
  std::vector<std::shared_ptr<GradNode>> inputs;  // null where none is needed
  BackwardFunction backward;
  Tensor grad;                           // of a leaf, undefined until there is one
  std::shared_ptr<GradNode> next_freed;  // only while a graph goes away

  GradNode() = default;
  GradNode(const GradNode&) = delete;
  GradNode& operator=(const GradNode&) = delete;
  // A deep graph goes away without recursion.
  ~GradNode();
};

// A node for `tensor` with the next sequence number.
std::shared_ptr<GradNode> make_grad_node(const char* name, const Tensor& tensor);

}  // namespace mrcnn
