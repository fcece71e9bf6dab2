#include "kernels/optim/sgd_step.h"

#include <fmt/format.h>

#include <vector>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/optim/tensor_list.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "sgd_step_";

void check_params(const SgdParams& params) {
  if (!(params.momentum >= 0)) {
    throw UsageError(fmt::format("[{}] momentum {} is not a number >= 0", kOp, params.momentum));
  }
  if (params.nesterov && (params.momentum == 0 || params.dampening != 0)) {
    throw UsageError(
        fmt::format("[{}] Nesterov needs a momentum and no dampening: momentum {}, dampening {}",
                    kOp, params.momentum, params.dampening));
  }
}

void check_tensor(const SgdTensor& tensor, bool has_momentum) {
  const auto check = [&](const char* name, const Tensor& other) {
    if (!other.defined() || other.shape() != tensor.parameter.shape()) {
      throw ShapeError(fmt::format("[{}] {} does not have the parameter's shape: {}, parameter {}",
                                   kOp, name, other.describe(), tensor.parameter.describe()));
    }
  };
  if (!tensor.parameter.defined()) {
    throw ShapeError(fmt::format("[{}] a parameter is undefined", kOp));
  }
  check_changeable(kOp, tensor.parameter);
  check("gradient", tensor.gradient);
  if (has_momentum) check("momentum", tensor.momentum);
  const std::vector<Tensor> all{tensor.parameter, tensor.gradient,
                                has_momentum ? tensor.momentum : Tensor{}};
  check_one_kind(kOp, all);
}

void check_number(const char* name, const Tensor& tensor, DType dtype) {
  if (!tensor.defined()) return;
  if (tensor.shape() != Shape{1} || tensor.dtype() != dtype) {
    throw ShapeError(
        fmt::format("[{}] {} must be {} [1]: {}", kOp, name, dtype_name(dtype), tensor.describe()));
  }
}

template <typename T>
std::vector<SgdItem<T>> items_of(std::span<const SgdTensor> tensors, bool has_momentum) {
  std::vector<SgdItem<T>> items;
  for (const SgdTensor& tensor : tensors) {
    if (!tensor.gradient.defined()) continue;
    items.push_back({.parameter = tensor.parameter.pointer<T>(),
                     .gradient = tensor.gradient.pointer<const T>(),
                     .momentum = has_momentum ? tensor.momentum.pointer<T>() : nullptr,
                     .count = tensor.parameter.numel(),
                     .lr = static_cast<T>(tensor.lr),
                     .weight_decay = static_cast<T>(tensor.weight_decay)});
  }
  return items;
}

// Without momentum v is g, as on every first step.
template <typename T>
SgdFactors<T> factors_of(const SgdParams& params) {
  return {.scale = static_cast<T>(params.gradient_scale),
          .momentum = static_cast<T>(params.momentum),
          .undampened = static_cast<T>(1 - params.dampening),
          .nesterov = params.nesterov,
          .first_step = params.first_step || params.momentum == 0};
}

template <typename T>
void step_on_cpu(std::span<const SgdTensor> tensors, const SgdParams& params) {
  if (params.finite.defined() && params.finite.data<const int32_t>()[0] == 0) return;
  SgdFactors<T> factors = factors_of<T>(params);
  if (params.device_scale.defined()) factors.scale *= params.device_scale.data<const T>()[0];
  cpu::sgd_step(items_of<T>(tensors, params.momentum != 0), factors);
}

}  // namespace

void sgd_step_(std::span<const SgdTensor> tensors, const SgdParams& params) {
  check_params(params);
  const bool has_momentum = params.momentum != 0;
  std::vector<Tensor> parameters;
  for (const SgdTensor& tensor : tensors) {
    if (!tensor.gradient.defined()) continue;
    check_tensor(tensor, has_momentum);
    parameters.push_back(tensor.parameter);
  }
  const Tensor first = check_one_kind(kOp, parameters);
  if (!first.defined()) return;
  check_number("device_scale", params.device_scale, first.dtype());
  check_number("finite", params.finite, DType::kI32);
  common_device(kOp, {&first, &params.device_scale, &params.finite});
  dispatch_device(
      kOp, first.device(),
      [&] {
        dispatch_float(kOp, first.dtype(), [&](auto tag) {
          step_on_cpu<typename decltype(tag)::type>(tensors, params);
        });
      },
      [&](Stream stream) {
        cuda::sgd_step(
            items_of<float>(tensors, has_momentum), factors_of<float>(params),
            params.device_scale.defined() ? params.device_scale.pointer<const float>() : nullptr,
            params.finite.defined() ? params.finite.pointer<const int32_t>() : nullptr, stream);
      });
}

}  // namespace mrcnn
