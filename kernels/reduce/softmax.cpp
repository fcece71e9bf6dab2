#include "kernels/reduce/softmax.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor softmax(const Tensor& input) {
  require_cpu("softmax", {&input});
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError("[softmax] input must be [..., K]: " + input.describe());
  }
  const int64_t columns = input.size(-1);
  Tensor output;
  dispatch_float("softmax", input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    output = Tensor::empty(input.shape(), input.dtype());
    cpu::softmax(columns == 0 ? 0 : input.numel() / columns, columns, input.data<const T>(),
                 output.data<T>());
  });
  return output;
}

}  // namespace mrcnn
