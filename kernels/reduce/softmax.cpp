#include "kernels/reduce/softmax.h"

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

Tensor softmax_backward(const Tensor& grad_output, const Tensor& output) {
  const int64_t columns = output.size(-1);
  const int64_t rows = columns == 0 ? 0 : output.numel() / columns;
  const Tensor grad_input = Tensor::empty(output.shape(), output.dtype(), output.device());
  dispatch_device(
      "softmax", output.device(),
      [&] {
        dispatch_float("softmax", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::softmax_backward(rows, columns, grad_output.data<const T>(), output.data<const T>(),
                                grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("softmax", output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::softmax_backward(rows, columns, grad_output.pointer<const T>(),
                                 output.pointer<const T>(), grad_input.pointer<T>(), stream);
        });
      });
  return grad_input;
}

}  // namespace

Tensor softmax(const Tensor& input) {
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError("[softmax] input must be [..., K]: " + input.describe());
  }
  const int64_t columns = input.size(-1);
  const int64_t rows = columns == 0 ? 0 : input.numel() / columns;
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), input.device());
  dispatch_device(
      "softmax", input.device(),
      [&] {
        dispatch_float("softmax", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::softmax(rows, columns, input.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float("softmax", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::softmax(rows, columns, input.pointer<const T>(), output.pointer<T>(), stream);
        });
      });
  return record("softmax", output, {input}, [output](const Tensor& grad_output) {
    return std::vector<Tensor>{softmax_backward(grad_output, output)};
  });
}

}  // namespace mrcnn
