// The gradients of an op, and those on a GPU against those on the CPU.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "core/autograd/engine.h"
#include "core/primitives.h"
#include "core/tensor.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

using Op = std::function<Tensor(const std::vector<Tensor>&)>;

// One gradient per input, for this gradient of the output.
inline std::vector<Tensor> op_gradients(const Op& op, std::vector<Tensor> inputs,
                                        const Tensor& grad_output) {
  for (Tensor& input : inputs) {
    input = input.detach();
    input.require_grad();
  }
  backward_from(op(inputs), grad_output);
  std::vector<Tensor> gradients;
  for (const Tensor& input : inputs) gradients.push_back(input.grad());
  return gradients;
}

// How far a GPU's gradients may be from the CPU's. bf16 is compared with the CPU's f32 result for
// the rounded numbers; by default one rounding of the gradient apart.
struct CudaGradientTolerance {
  float relative = 0;
  float absolute = 0;
  float bf16_relative = kBf16Rounding;
  float bf16_absolute = 0;
};

// The inputs are f32 on the CPU; the gradient of the output is made up.
inline void check_cuda_gradients(const Op& op, const std::vector<Tensor>& inputs, Device device,
                                 const CudaGradientTolerance& tolerance = {}) {
  const Tensor grad_output = random_tensor(op(inputs).shape(), 998);
  const auto all = [](const std::vector<Tensor>& tensors, const auto& change) {
    std::vector<Tensor> changed;
    for (const Tensor& tensor : tensors) changed.push_back(change(tensor));
    return changed;
  };
  const auto there = [device](const Tensor& tensor) { return copy_to(tensor, device); };
  const auto narrow = [device](const Tensor& tensor) {
    return copy_to(cast(tensor, DType::kBF16), device);
  };
  const auto compare = [](const std::vector<Tensor>& actual, const std::vector<Tensor>& expected,
                          DType dtype, float relative, float absolute) {
    for (size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      REQUIRE(actual[i].defined());
      REQUIRE(actual[i].dtype() == dtype);
      CHECK(count_far(actual[i], expected[i], relative, absolute) == 0);
    }
  };
  compare(op_gradients(op, all(inputs, there), there(grad_output)),
          op_gradients(op, inputs, grad_output), DType::kF32, tolerance.relative,
          tolerance.absolute);
  compare(op_gradients(op, all(inputs, narrow), narrow(grad_output)),
          op_gradients(op, all(inputs, rounded_to_bf16), rounded_to_bf16(grad_output)),
          DType::kBF16, tolerance.bf16_relative, tolerance.bf16_absolute);
}

}  // namespace mrcnn::test
