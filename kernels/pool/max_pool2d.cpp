#include "kernels/pool/max_pool2d.h"

#include <fmt/format.h>

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "max_pool2d";

void check_params(const MaxPool2dParams& params) {
  for (const size_t axis : {0U, 1U}) {
    const int64_t kernel = params.kernel[axis];
    const int64_t padding = params.padding[axis];
    if (kernel < 1 || params.stride[axis] < 1 || padding < 0 || padding > kernel / 2) {
      throw ShapeError(
          fmt::format("[{}] kernel {}, stride {}, padding {}: kernel and stride must "
                      "be at least 1, padding 0 to half the kernel",
                      kOp, kernel, params.stride[axis], padding));
    }
  }
}

int64_t output_extent(const Tensor& input, const MaxPool2dParams& params, size_t axis) {
  const int64_t extent = input.size(static_cast<int>(axis) + 1);
  const int64_t room = extent + 2 * params.padding[axis] - params.kernel[axis];
  if (extent < 1 || room < 0) {
    throw ShapeError(fmt::format(
        "[{}] input is smaller than the {}x{} window with padding {}x{}: {}", kOp, params.kernel[0],
        params.kernel[1], params.padding[0], params.padding[1], input.describe()));
  }
  return room / params.stride[axis] + 1;
}

Tensor max_pool2d_backward(const MaxPool2dGeometry& geometry, const Tensor& input,
                           const Tensor& grad_output) {
  const Tensor taps = Tensor::empty(grad_output.shape(), DType::kI32, input.device());
  const Tensor grad_input = Tensor::empty(input.shape(), input.dtype(), input.device());
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::max_pool2d_taps(geometry, input.data<const T>(), taps.data<int32_t>());
          cpu::max_pool2d_backward(geometry, taps.data<const int32_t>(),
                                   grad_output.data<const T>(), grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::max_pool2d_taps(geometry, input.pointer<const T>(), taps.pointer<int32_t>(),
                                stream);
          cuda::max_pool2d_backward(geometry, taps.pointer<const int32_t>(),
                                    grad_output.pointer<const T>(), grad_input.pointer<T>(),
                                    stream);
        });
      });
  return grad_input;
}

}  // namespace

Tensor max_pool2d(const Tensor& input, const MaxPool2dParams& params) {
  if (!input.defined() || input.rank() != 4) {
    throw ShapeError(fmt::format("[{}] input must be [N, H, W, C]: {}", kOp, input.describe()));
  }
  check_params(params);
  const MaxPool2dGeometry geometry{.params = params,
                                   .images = input.size(0),
                                   .height = input.size(1),
                                   .width = input.size(2),
                                   .channels = input.size(3),
                                   .output_height = output_extent(input, params, 0),
                                   .output_width = output_extent(input, params, 1)};
  const Tensor output = Tensor::empty(
      {geometry.images, geometry.output_height, geometry.output_width, geometry.channels},
      input.dtype(), input.device());
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::max_pool2d(geometry, input.data<const T>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::max_pool2d(geometry, input.pointer<const T>(), output.pointer<T>(), stream);
        });
      });
  return record(kOp, output, {input},
                [geometry, input = input.detach()](const Tensor& grad_output) {
                  return std::vector<Tensor>{max_pool2d_backward(geometry, input, grad_output)};
                });
}

}  // namespace mrcnn
