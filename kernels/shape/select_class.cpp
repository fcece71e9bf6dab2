#include "kernels/shape/select_class.h"

#include <fmt/format.h>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "select_class";

Tensor backward_of(const SelectClassGeometry& geometry, const Tensor& grad_output,
                   const Tensor& labels) {
  const Tensor grad_input = Tensor::empty({geometry.rows, geometry.classes * geometry.width},
                                          grad_output.dtype(), grad_output.device());
  const auto* classes = labels.pointer<const int32_t>();
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::select_class_backward(geometry, grad_output.data<const T>(), classes,
                                     grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::select_class_backward(geometry, grad_output.pointer<const T>(), classes,
                                      grad_input.pointer<T>(), stream);
        });
      });
  return grad_input;
}

}  // namespace

Tensor select_class(const Tensor& input, const Tensor& labels, int64_t width) {
  if (width < 1 || !input.defined() || input.rank() != 2 || input.size(1) % width != 0) {
    throw ShapeError(fmt::format("[{}] input must be [R, K*{}]: {}", kOp, width, input.describe()));
  }
  const int64_t rows = input.size(0);
  if (!labels.defined() || labels.shape() != Shape{rows}) {
    throw ShapeError(fmt::format("[{}] labels must be [{}]: {}", kOp, rows, labels.describe()));
  }
  if (labels.dtype() != DType::kI32) {
    throw DTypeError(fmt::format("[{}] labels must be i32: {}", kOp, labels.describe()));
  }
  const Device device = common_device(kOp, {&input, &labels});
  const SelectClassGeometry geometry{
      .rows = rows, .classes = input.size(1) / width, .width = width};
  const auto* classes = labels.pointer<const int32_t>();
  Tensor output;
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty({rows, width}, input.dtype());
          cpu::select_class(geometry, input.data<const T>(), classes, output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          output = Tensor::empty({rows, width}, input.dtype(), device);
          cuda::select_class(geometry, input.pointer<const T>(), classes, output.pointer<T>(),
                             stream);
        });
      });
  return record(kOp, output, {input},
                [geometry, labels = labels.detach()](const Tensor& grad_output) {
                  return std::vector<Tensor>{backward_of(geometry, grad_output, labels)};
                });
}

}  // namespace mrcnn
