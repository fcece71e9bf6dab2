// Putting an operation on the tape. Stands directly under the forward call:
//
//   return record("relu", output, {input}, [output = output.detach()](const Tensor& grad) {
//     return std::vector<Tensor>{relu_backward(grad, output)};
//   });
//
// The closure holds detached tensors only: one that carries its own tape entry would keep the graph
// alive in a circle or a long chain. It overwrites what it returns; the engine alone adds.
#pragma once

#include <vector>

#include "core/autograd/grad_mode.h"
#include "core/autograd/node.h"
#include "core/tensor.h"

namespace mrcnn {

// Whether a gradient of `tensor` will be asked for if an operation on it is recorded now.
inline bool needs_grad(const Tensor& tensor) { return tensor.requires_grad() && grad_enabled(); }

// `output` with a tape entry, or as it is when no input needs a gradient. Undefined inputs are
// allowed and need none. Throws DTypeError if the output is not of a floating type.
Tensor record(const char* name, const Tensor& output, std::vector<Tensor> inputs,
              BackwardFunction backward);

}  // namespace mrcnn
