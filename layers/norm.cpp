#include "layers/norm.h"

#include <fmt/core.h>

namespace mrcnn {
namespace {

// Python's repr of the few values met: 0.0, 1e-05, 0.001.
std::string python_float(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, NormKind kind, double eps)
    : channels_(channels), kind_(kind), eps_(eps) {
  const bool frozen = kind == NormKind::kFrozen;
  for (Parameter* parameter : {&weight_, &bias_, &running_mean_, &running_var_}) {
    parameter->file_shape = {channels};
  }
  weight_.is_buffer = frozen;
  bias_.is_buffer = frozen;
  running_mean_.is_buffer = true;
  running_var_.is_buffer = true;
  register_parameter("weight", weight_);
  register_parameter("bias", bias_);
  register_parameter("running_mean", running_mean_);
  register_parameter("running_var", running_var_);
  if (!frozen) {
    num_batches_tracked_.is_buffer = true;
    num_batches_tracked_.dtype = DType::kI64;
    register_parameter("num_batches_tracked", num_batches_tracked_);
  }
}

void BatchNorm2d::count_batch() const {
  if (num_batches_tracked_.value.defined()) ++*num_batches_tracked_.value.data<int64_t>();
}

std::string BatchNorm2d::type_name() const {
  return kind_ == NormKind::kFrozen ? "FrozenBatchNorm2d" : "BatchNorm2d";
}

std::string BatchNorm2d::arguments() const {
  const std::string eps = python_float(eps_);
  if (kind_ == NormKind::kFrozen) return fmt::format("{}, eps={}", channels_, eps);
  return fmt::format("{}, eps={}, momentum=0.1, affine=True, track_running_stats=True", channels_,
                     eps);
}

}  // namespace mrcnn
