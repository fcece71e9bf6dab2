#include "kernels/optim/global_norm.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/optim/clip_math.h"

namespace mrcnn {

Tensor global_norm(std::span<const Tensor> tensors) {
  constexpr const char* kOp = "global_norm";
  const Tensor first = check_one_kind(kOp, tensors);
  const Tensor norm = Tensor::zeros({1}, first.dtype(), first.device());
  dispatch_device(
      kOp, norm.device(),
      [&] {
        dispatch_float(kOp, norm.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          norm.data<T>()[0] = static_cast<T>(cpu::global_norm(read_items<T>(tensors)));
        });
      },
      [&](Stream stream) {
        const auto items = read_items<float>(tensors);
        const Tensor partial =
            Tensor::empty({cuda::global_norm_pieces(items)}, DType::kF32, norm.device());
        cuda::global_norm(items, partial.pointer<float>(), norm.pointer<float>(), stream);
      });
  return norm;
}

Tensor clip_coefficient(const Tensor& norm, double max_norm) {
  constexpr const char* kOp = "clip_coefficient";
  if (!norm.defined() || norm.shape() != Shape{1}) {
    throw ShapeError(fmt::format("[{}] norm must be [1]: {}", kOp, norm.describe()));
  }
  if (!(max_norm > 0)) {
    throw UsageError(fmt::format("[{}] max_norm {} is not a number above 0", kOp, max_norm));
  }
  const Tensor coefficient = Tensor::empty({1}, norm.dtype(), norm.device());
  dispatch_device(
      kOp, norm.device(),
      [&] {
        dispatch_float(kOp, norm.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          coefficient.data<T>()[0] =
              clip_coefficient_of(norm.data<const T>()[0], static_cast<T>(max_norm));
        });
      },
      [&](Stream stream) {
        cuda::clip_coefficient(norm.pointer<const float>(), static_cast<float>(max_norm),
                               coefficient.pointer<float>(), stream);
      });
  return coefficient;
}

}  // namespace mrcnn
