// One call of batch_norm with its gradients, for tests.
#pragma once

#include <doctest/doctest.h>

#include <vector>

#include "core/autograd/engine.h"
#include "core/primitives.h"
#include "kernels/norm/batch_norm.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

// Everything one call takes; grad is the gradient of its result.
struct BatchNormCase {
  Tensor input;
  Tensor weight;
  Tensor bias;
  BatchNormRunning running;
  Tensor residual;
  Tensor grad;
  BatchNormParams params;
  Tensor labels = {};
};

template <typename T>
BatchNormCase batch_norm_case(const Shape& shape, bool residual, bool relu) {
  const Shape channels{shape[-1]};
  return {.input = random_tensor<T>(shape, 1, -1, 3),
          .weight = random_tensor<T>(channels, 2, 0.5, 2),
          .bias = random_tensor<T>(channels, 3),
          .running = {.mean = random_tensor<T>(channels, 4),
                      .var = random_tensor<T>(channels, 5, 0.1, 2)},
          .residual = residual ? random_tensor<T>(shape, 6) : Tensor{},
          .grad = random_tensor<T>(shape, 7),
          .params = {.relu = relu}};
}

struct BatchNormResult {
  Tensor output;
  BatchNormRunning running;
  std::vector<Tensor> grads;  // input, weight, bias, residual
};

// One call and its gradients. The case's running statistics are left alone.
inline BatchNormResult run_batch_norm(const BatchNormCase& c) {
  std::vector<Tensor> leaves = {c.input, c.weight, c.bias, c.residual};
  for (Tensor& leaf : leaves) {
    if (leaf.defined()) leaf.require_grad();
  }
  BatchNormResult result;
  result.running = {.mean = c.running.mean.clone(), .var = c.running.var.clone()};
  const Tensor output =
      batch_norm(leaves[0], leaves[1], leaves[2], result.running, leaves[3], c.params, c.labels);
  backward_from(output, c.grad);
  result.output = output.detach();
  for (const Tensor& leaf : leaves) result.grads.push_back(leaf.grad());
  return result;
}

inline BatchNormCase to_device(const BatchNormCase& c, Device device) {
  return {
      .input = copy_to(c.input, device),
      .weight = copy_to(c.weight, device),
      .bias = copy_to(c.bias, device),
      .running = {.mean = copy_to(c.running.mean, device), .var = copy_to(c.running.var, device)},
      .residual = copy_to(c.residual, device),
      .grad = copy_to(c.grad, device),
      .params = c.params,
      .labels = copy_to(c.labels, device)};
}

// f32 sums in another order. bf16 is one rounding of each map away from f32 of the rounded inputs;
// the sums see the same numbers.
inline void check_batch_norm_on_gpu(BatchNormCase c, Device device) {
  CAPTURE(c.input.shape().to_string());
  const auto compare = [](const BatchNormResult& actual, const BatchNormResult& expected,
                          float relative) {
    CHECK(count_far(actual.output, expected.output, relative, 1e-5F) == 0);
    CHECK(count_far(actual.running.mean, expected.running.mean, 1e-5F, 1e-6F) == 0);
    CHECK(count_far(actual.running.var, expected.running.var, 1e-5F) == 0);
    for (size_t i = 0; i < 4; ++i) {
      if (!expected.grads[i].defined()) continue;
      const bool is_map = i == 0 || i == 3;
      CHECK(count_far(actual.grads[i], expected.grads[i], is_map ? relative : 1e-5F, 2e-5F) == 0);
    }
  };
  compare(run_batch_norm(to_device(c, device)), run_batch_norm(c), 1e-5F);
  for (Tensor* map : {&c.input, &c.residual, &c.grad}) {
    if (map->defined()) *map = rounded_to_bf16(*map);
  }
  BatchNormCase narrow = to_device(c, device);
  for (Tensor* map : {&narrow.input, &narrow.residual, &narrow.grad}) {
    if (map->defined()) *map = cast(*map, DType::kBF16);
  }
  compare(run_batch_norm(narrow), run_batch_norm(c), kBf16Rounding);
}

}  // namespace mrcnn::test
