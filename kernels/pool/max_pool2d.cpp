#include "kernels/pool/max_pool2d.h"

#include <fmt/format.h>

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
  return output;
}

}  // namespace mrcnn
