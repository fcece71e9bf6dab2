#include "layers/optim/sgd.h"

#include <utility>

#include "kernels/optim/sgd_step.h"

namespace mrcnn {

Sgd::Sgd(std::vector<NamedParameter> parameters, const SgdOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const NamedParameter& named : parameters_) {
    Parameter momentum = *named.parameter;
    const Tensor& value = named.parameter->value;
    momentum.value = Tensor::zeros(value.shape(), value.dtype(), value.device());
    momenta_.push_back(std::move(momentum));
  }
}

void Sgd::step(double lr, const Tensor& device_scale, const Tensor& finite) {
  std::vector<SgdTensor> tensors;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& value = parameters_[i].parameter->value;
    tensors.push_back({.parameter = value,
                       .gradient = value.grad(),
                       .momentum = momenta_[i].value,
                       .lr = lr,
                       .weight_decay = options_.weight_decay});
  }
  sgd_step_(tensors, {.momentum = options_.momentum,
                      .nesterov = options_.nesterov,
                      .device_scale = device_scale,
                      .finite = finite});
}

void Sgd::clear_gradients() {
  for (const NamedParameter& named : parameters_) named.parameter->value.clear_grad();
}

std::vector<Tensor> Sgd::gradients() const {
  std::vector<Tensor> gradients;
  for (const NamedParameter& named : parameters_) {
    Tensor gradient = named.parameter->value.grad();
    if (gradient.defined()) gradients.push_back(std::move(gradient));
  }
  return gradients;
}

}  // namespace mrcnn
