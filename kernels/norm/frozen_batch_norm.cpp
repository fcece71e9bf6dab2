#include "kernels/norm/frozen_batch_norm.h"

#include <fmt/format.h>

#include <vector>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "frozen_batch_norm";

void check_inputs(const Tensor& input, const Tensor& residual) {
  require_cpu(kOp, {&input, &residual});
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError(fmt::format("[{}] input must be [..., C]: {}", kOp, input.describe()));
  }
  if (!residual.defined()) return;
  if (residual.shape() != input.shape()) {
    throw ShapeError(fmt::format("[{}] residual and input differ in shape: {}, {}", kOp,
                                 residual.describe(), input.describe()));
  }
  if (residual.dtype() != input.dtype()) {
    throw DTypeError(fmt::format("[{}] residual and input differ in type: {}, {}", kOp,
                                 residual.describe(), input.describe()));
  }
}

template <typename T>
std::vector<T> rounded(const std::vector<double>& values) {
  std::vector<T> result;
  for (const double value : values) result.push_back(static_cast<T>(value));
  return result;
}

}  // namespace

Tensor frozen_batch_norm(const Tensor& input, const BatchNormConstants& bn,
                         const FrozenBatchNormParams& params) {
  check_inputs(input, params.residual);
  const int64_t channels = input.size(-1);
  const ChannelAffine affine = batch_norm_affine(kOp, bn, channels);
  Tensor output;
  dispatch_float(kOp, input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    output = Tensor::empty(input.shape(), input.dtype());
    const std::vector<T> scale = rounded<T>(affine.scale);
    const std::vector<T> shift = rounded<T>(affine.shift);
    cpu::frozen_batch_norm(channels == 0 ? 0 : input.numel() / channels, channels, params.relu,
                           input.data<const T>(), scale.data(), shift.data(),
                           params.residual.defined() ? params.residual.data<const T>() : nullptr,
                           output.data<T>());
  });
  return output;
}

}  // namespace mrcnn
