// Gradients of the tape against central differences, in f64 on the CPU.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/autograd/engine.h"
#include "core/autograd/grad_mode.h"
#include "core/tensor.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

struct GradientCheck {
  // Central differences are off by about step^2 * f'''/6 and by rounding / step, so by some 1e-10
  // for functions whose values and derivatives are of order 1.
  double step = 1e-5;
  double tolerance = 1e-6;     // of the gradient's length
  int64_t most_elements = 64;  // of each input; spread over it
};

// f maps the inputs, f64 leaves, to one f64 tensor of any shape; the gradient checked is that of a
// random projection of it. f must not have a kink within `step` of the inputs.
inline void check_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                            std::vector<Tensor> inputs, const GradientCheck& options = {}) {
  for (Tensor& input : inputs) {
    input = input.detach();
    REQUIRE(input.dtype() == DType::kF64);
    input.require_grad();
  }
  const Tensor output = f(inputs);
  REQUIRE(output.dtype() == DType::kF64);
  REQUIRE(output.requires_grad());
  const Tensor projection = random_tensor<double>(output.shape(), 999);
  backward_from(output, projection);

  const NoGradGuard no_grad;
  const auto value = [&] {
    const Tensor y = f(inputs);
    double sum = 0;
    for (int64_t i = 0; i < y.numel(); ++i) {
      sum += y.data<const double>()[i] * projection.data<const double>()[i];
    }
    return sum;
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Tensor gradient = inputs[k].grad();
    const int64_t count = inputs[k].numel();
    if (count == 0) continue;
    CAPTURE(k);
    REQUIRE(gradient.defined());
    const int64_t checked = std::min(count, options.most_elements);
    double error = 0, length = 0;
    for (int64_t j = 0; j < checked; ++j) {
      const int64_t i = count <= options.most_elements ? j : j * count / checked;
      double& element = inputs[k].data<double>()[i];
      const double kept = element;
      element = kept + options.step;
      const double above = value();
      element = kept - options.step;
      const double below = value();
      element = kept;
      const double expected = (above - below) / (2 * options.step);
      const double actual = gradient.data<const double>()[i];
      error += (actual - expected) * (actual - expected);
      length += expected * expected;
    }
    CAPTURE(std::sqrt(error));
    CAPTURE(std::sqrt(length));
    CHECK(std::sqrt(error) <= options.tolerance * std::max(std::sqrt(length), 1e-3));
  }
}

}  // namespace mrcnn::test
