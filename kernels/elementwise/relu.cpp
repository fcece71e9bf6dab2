#include "kernels/elementwise/relu.h"

#include <vector>

#include "core/autograd/record.h"
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
  return record("relu", output, {input}, [output](const Tensor& grad_output) {
    return std::vector<Tensor>{relu_backward(grad_output, output)};
  });
}

Tensor relu_backward(const Tensor& grad_output, const Tensor& output) {
  const Tensor grad_input = Tensor::empty(output.shape(), output.dtype(), output.device());
  dispatch_device(
      "relu", output.device(),
      [&] {
        dispatch_float("relu", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::relu_backward(output.numel(), grad_output.data<const T>(), output.data<const T>(),
                             grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("relu", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::relu_backward(output.numel(), grad_output.pointer<const T>(),
                              output.pointer<const T>(), grad_input.pointer<T>(), stream);
        });
      });
  return grad_input;
}

}  // namespace mrcnn
