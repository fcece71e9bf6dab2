#include "kernels/shape/upsample_nearest_add.h"

#include <fmt/format.h>

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
  return output;
}

}  // namespace mrcnn
