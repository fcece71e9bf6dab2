#include "kernels/elementwise/relu.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor relu(const Tensor& input) {
  if (!input.defined()) throw ShapeError("[relu] input is undefined");
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), input.device());
  dispatch_device(
      "relu", input.device(),
      [&] {
        dispatch_float("relu", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::relu(input.numel(), input.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("relu", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::relu(input.numel(), input.pointer<const T>(), output.pointer<T>(), stream);
        });
      });
  return output;
}

}  // namespace mrcnn
