#include "kernels/norm/batch_norm_affine.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {

void check_batch_norm(const char* op, const BatchNormConstants& bn, int64_t channels) {
  const std::pair<const char*, const Tensor*> parts[] = {{"weight", &bn.weight},
                                                         {"bias", &bn.bias},
                                                         {"running_mean", &bn.running_mean},
                                                         {"running_var", &bn.running_var}};
  for (const auto& [name, tensor] : parts) {
    if (!tensor->defined() || tensor->shape() != Shape{channels}) {
      throw ShapeError(fmt::format("[{}] batch norm {} must be [{}]: {}", op, name, channels,
                                   tensor->describe()));
    }
    if (tensor->dtype() != bn.weight.dtype()) {
      throw DTypeError(fmt::format("[{}] batch norm tensors differ in type: weight {}, {} {}", op,
                                   bn.weight.describe(), name, tensor->describe()));
    }
  }
  if (!(bn.eps >= 0)) {
    throw UsageError(fmt::format("[{}] batch norm eps {} is not a number >= 0", op, bn.eps));
  }
}

ChannelAffine batch_norm_affine(const char* op, const BatchNormConstants& bn, int64_t channels) {
  check_batch_norm(op, bn, channels);
  require_cpu(op, {&bn.weight, &bn.bias, &bn.running_mean, &bn.running_var});
  ChannelAffine affine;
  dispatch_float(op, bn.weight.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto weight = bn.weight.span<const T>();
    const auto bias = bn.bias.span<const T>();
    const auto mean = bn.running_mean.span<const T>();
    const auto var = bn.running_var.span<const T>();
    for (size_t c = 0; c < weight.size(); ++c) {
      const double scale =
          static_cast<double>(weight[c]) / std::sqrt(static_cast<double>(var[c]) + bn.eps);
      affine.scale.push_back(scale);
      affine.shift.push_back(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * scale);
    }
  });
  return affine;
}

}  // namespace mrcnn
