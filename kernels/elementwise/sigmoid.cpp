#include "kernels/elementwise/sigmoid.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor sigmoid(const Tensor& input) {
  if (!input.defined()) throw ShapeError("[sigmoid] input is undefined");
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), input.device());
  dispatch_device(
      "sigmoid", input.device(),
      [&] {
        dispatch_float("sigmoid", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::sigmoid(input.numel(), input.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("sigmoid", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::sigmoid(input.numel(), input.pointer<const T>(), output.pointer<T>(), stream);
        });
      });
  return output;
}

}  // namespace mrcnn
