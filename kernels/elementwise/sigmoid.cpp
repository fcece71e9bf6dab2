#include "kernels/elementwise/sigmoid.h"

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

Tensor sigmoid_backward(const Tensor& grad_output, const Tensor& output) {
  const Tensor grad_input = Tensor::empty(output.shape(), output.dtype(), output.device());
  dispatch_device(
      "sigmoid", output.device(),
      [&] {
        dispatch_float("sigmoid", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::sigmoid_backward(output.numel(), grad_output.data<const T>(), output.data<const T>(),
                                grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("sigmoid", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::sigmoid_backward(output.numel(), grad_output.pointer<const T>(),
                                 output.pointer<const T>(), grad_input.pointer<T>(), stream);
        });
      });
  return grad_input;
}

}  // namespace

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
  return record("sigmoid", output, {input}, [output](const Tensor& grad_output) {
    return std::vector<Tensor>{sigmoid_backward(grad_output, output)};
  });
}

}  // namespace mrcnn
