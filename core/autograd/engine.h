// Running the tape backwards.
//
// Operations run in the reverse order of their recording. A gradient that arrives from several
// places is added up in that order, so the same graph gives the same bits. What is no longer needed
// is freed on the way: a graph runs backwards once. Gradients of gradients are not recorded.
#pragma once

#include <span>

#include "core/tensor.h"

namespace mrcnn {

// Adds d(sum of scale * root)/d(leaf) to the gradient of every leaf that the roots were made of.
// Roots have one element each; one that carries no tape entry is a constant and adds nothing.
// Throws ShapeError or DTypeError if an operation returns a gradient that does not fit its input.
void backward(std::span<const Tensor> roots, double scale = 1.0);
void backward(const Tensor& root, double scale = 1.0);

// The same for one root of any shape, whose gradient is given.
void backward_from(const Tensor& root, const Tensor& grad_root);

}  // namespace mrcnn
