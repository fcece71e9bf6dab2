#include "kernels/reduce/softmax.h"

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

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
  return output;
}

}  // namespace mrcnn
