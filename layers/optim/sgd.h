// Stochastic gradient descent with momentum over the parameters of a model.
// The update is kernels/optim/sgd_step.h; this holds the momenta and gives them names.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "layers/parameter.h"

namespace mrcnn {

struct NamedParameter {
  std::string name;
  Parameter* parameter = nullptr;
};

struct SgdOptions {
  double momentum = 0.9;
  double weight_decay = 1e-4;  // on every tensor
  bool nesterov = false;
};

class Sgd {
 public:
  // The parameters must be leaves of the tape, stay where they are and outlive this. Momenta start
  // at 0.
  Sgd(std::vector<NamedParameter> parameters, const SgdOptions& options);

  // Updates every parameter that has a gradient; one without keeps its value and its momentum.
  // device_scale [1]: another factor of the gradients. finite [1] i32: 0 leaves everything as it is.
  // Both are read where the parameters are and may be undefined.
  void step(double lr, const Tensor& device_scale = {}, const Tensor& finite = {});
  void clear_gradients();

  const std::vector<NamedParameter>& parameters() const { return parameters_; }
  std::vector<Tensor> gradients() const;  // those there are
  // In the order and layout of the parameters; for saving and restoring.
  std::vector<Parameter>& momenta() { return momenta_; }

 private:
  std::vector<NamedParameter> parameters_;
  std::vector<Parameter> momenta_;
  SgdOptions options_;
};

}  // namespace mrcnn
