#include "kernels/elementwise/sigmoid.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor sigmoid(const Tensor& input) {
  require_cpu("sigmoid", {&input});
  if (!input.defined()) throw ShapeError("[sigmoid] input is undefined");
  Tensor output;
  dispatch_float("sigmoid", input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    output = Tensor::empty(input.shape(), input.dtype());
    cpu::sigmoid(input.numel(), input.data<const T>(), output.data<T>());
  });
  return output;
}

}  // namespace mrcnn
