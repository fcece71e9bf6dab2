#include "kernels/elementwise/add.h"

#include <fmt/format.h>

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/elementwise/relu.h"

namespace mrcnn {

Tensor add(const Tensor& a, const Tensor& b, const AddParams& params) {
  if (!a.defined() || !b.defined() || a.shape() != b.shape()) {
    throw ShapeError(
        fmt::format("[add] tensors differ in shape: {}, {}", a.describe(), b.describe()));
  }
  if (a.dtype() != b.dtype()) {
    throw DTypeError(
        fmt::format("[add] tensors differ in type: {}, {}", a.describe(), b.describe()));
  }
  const Device device = common_device("add", {&a, &b});
  const Tensor output = Tensor::empty(a.shape(), a.dtype(), device);
  dispatch_device(
      "add", device,
      [&] {
        dispatch_float("add", a.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::add(a.numel(), params, a.data<const T>(), b.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("add", a.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::add(a.numel(), params, a.pointer<const T>(), b.pointer<const T>(),
                    output.pointer<T>(), stream);
        });
      });
  return record("add", output, {a, b},
                [sum = params.relu ? output : Tensor{}](const Tensor& grad_output) {
                  const Tensor grad = sum.defined() ? relu_backward(grad_output, sum) : grad_output;
                  return std::vector<Tensor>{grad, grad};
                });
}

}  // namespace mrcnn
