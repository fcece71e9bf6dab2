#include "kernels/elementwise/add.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

Tensor add(const Tensor& a, const Tensor& b, const AddParams& params) {
  require_cpu("add", {&a, &b});
  if (!a.defined() || !b.defined() || a.shape() != b.shape()) {
    throw ShapeError(
        fmt::format("[add] tensors differ in shape: {}, {}", a.describe(), b.describe()));
  }
  if (a.dtype() != b.dtype()) {
    throw DTypeError(
        fmt::format("[add] tensors differ in type: {}, {}", a.describe(), b.describe()));
  }
  Tensor output;
  dispatch_float("add", a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    output = Tensor::empty(a.shape(), a.dtype());
    cpu::add(a.numel(), params, a.data<const T>(), b.data<const T>(), output.data<T>());
  });
  return output;
}

}  // namespace mrcnn
