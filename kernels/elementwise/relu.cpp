#include "kernels/elementwise/relu.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor relu(const Tensor& input) {
  require_cpu("relu", {&input});
  if (!input.defined()) throw ShapeError("[relu] input is undefined");
  Tensor output;
  dispatch_float("relu", input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    output = Tensor::empty(input.shape(), input.dtype());
    cpu::relu(input.numel(), input.data<const T>(), output.data<T>());
  });
  return output;
}

}  // namespace mrcnn
