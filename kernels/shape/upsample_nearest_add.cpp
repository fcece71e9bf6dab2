#include "kernels/shape/upsample_nearest_add.h"

#include <fmt/format.h>

#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "upsample_nearest_add";

void check_inputs(const Tensor& coarse, const Tensor& fine) {
  if (!coarse.defined() || !fine.defined() || coarse.rank() != 4 || fine.rank() != 4 ||
      coarse.size(0) != fine.size(0) || coarse.size(3) != fine.size(3)) {
    throw ShapeError(
        fmt::format("[{}] maps must be [N, H, W, C] with equal N and C: coarse {}, "
                    "fine {}",
                    kOp, coarse.describe(), fine.describe()));
  }
  if (fine.numel() > 0 && coarse.numel() == 0) {
    throw ShapeError(fmt::format("[{}] an empty map cannot be enlarged: coarse {}, fine {}", kOp,
                                 coarse.describe(), fine.describe()));
  }
  if (coarse.dtype() != fine.dtype()) {
    throw DTypeError(fmt::format("[{}] maps differ in type: coarse {}, fine {}", kOp,
                                 coarse.describe(), fine.describe()));
  }
}

Tensor upsample_nearest_backward(const UpsampleGeometry& geometry, const Tensor& grad_output) {
  const Tensor grad_coarse = Tensor::empty(
      {geometry.images, geometry.coarse_height, geometry.coarse_width, geometry.channels},
      grad_output.dtype(), grad_output.device());
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::upsample_nearest_backward(geometry, grad_output.data<const T>(),
                                         grad_coarse.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::upsample_nearest_backward(geometry, grad_output.pointer<const T>(),
                                          grad_coarse.pointer<T>(), stream);
        });
      });
  return grad_coarse;
}

}  // namespace

Tensor upsample_nearest_add(const Tensor& coarse, const Tensor& fine) {
  check_inputs(coarse, fine);
  const UpsampleGeometry geometry{.images = fine.size(0),
                                  .coarse_height = coarse.size(1),
                                  .coarse_width = coarse.size(2),
                                  .height = fine.size(1),
                                  .width = fine.size(2),
                                  .channels = fine.size(3)};
  const Device device = common_device(kOp, {&coarse, &fine});
  const Tensor output = Tensor::empty(fine.shape(), fine.dtype(), device);
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, fine.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::upsample_nearest_add(geometry, coarse.data<const T>(), fine.data<const T>(),
                                    output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, fine.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::upsample_nearest_add(geometry, coarse.pointer<const T>(), fine.pointer<const T>(),
                                     output.pointer<T>(), stream);
        });
      });
  return record(kOp, output, {coarse, fine},
                [geometry, with_coarse = needs_grad(coarse)](const Tensor& grad_output) {
                  return std::vector<Tensor>{
                      with_coarse ? upsample_nearest_backward(geometry, grad_output) : Tensor{},
                      grad_output};
                });
}

}  // namespace mrcnn
