#include "kernels/conv/conv2d_backward.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "kernels/conv/conv2d_weight_gradient.h"
#include "kernels/elementwise/relu.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;
using test::to_f64;

struct Case {
  Shape input;
  Shape weight;
  Conv2dParams params;
  bool bias = true;
  bool residual = false;
};

// In the order of conv2d's arguments; undefined where a case has none.
using Operands = std::vector<Tensor>;

Operands operands(const Case& c) {
  Operands made(4);
  made[0] = random_tensor(c.input, 1);
  made[1] = random_tensor(c.weight, 2);
  if (c.bias) made[2] = random_tensor({c.weight[0]}, 3);
  if (c.residual) made[3] = random_tensor(conv2d_output_shape(c.input, c.weight, c.params), 4);
  return made;
}

Tensor run(const Operands& o, const Conv2dParams& params) {
  return conv2d(o[0], o[1], o[2], o[3], params);
}

// The gradients of all operands for a given gradient of the output.
Operands gradients(Operands o, const Conv2dParams& params, const Tensor& grad_output) {
  for (Tensor& tensor : o) {
    if (tensor.defined()) tensor.require_grad();
  }
  backward_from(run(o, params), grad_output);
  for (Tensor& tensor : o) {
    if (tensor.defined()) tensor = tensor.grad();
  }
  return o;
}

Operands map(Operands o, const std::function<Tensor(const Tensor&)>& f) {
  for (Tensor& tensor : o) {
    if (tensor.defined()) tensor = f(tensor);
  }
  return o;
}

Tensor grad_output_of(const Case& c) {
  return random_tensor(conv2d_output_shape(c.input, c.weight, c.params), 5);
}

// |actual - expected| / |expected| as vectors.
double relative_error(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.shape() == expected.shape());
  double error = 0, length = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double want = expected.data<const double>()[i];
    const double difference = static_cast<double>(actual.data<const float>()[i]) - want;
    error += difference * difference;
    length += want * want;
  }
  return error == 0 ? 0 : std::sqrt(error / length);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {{1, 13, 17, 3}, {6, 7, 7, 3}, {.stride = {2, 2}, .padding = {3, 3}, .relu = true}},
      {{2, 7, 5, 3}, {4, 3, 3, 3}, {.padding = {1, 1}}, true, true},
      {{2, 6, 9, 4}, {5, 3, 3, 4}, {.stride = {2, 2}, .padding = {1, 1}, .relu = true}, true, true},
      {{1, 5, 7, 6}, {3, 1, 1, 6}, {.relu = true}, false, true},
      {{2, 5, 8, 3}, {4, 1, 1, 3}, {.stride = {2, 2}}, true, false},
      {{3, 4, 6, 2}, {3, 2, 4, 2}, {.stride = {1, 3}, .padding = {0, 2}}, false, false},
      {{1, 3, 3, 2}, {4, 3, 3, 2}, {.stride = {5, 5}, .padding = {4, 4}}, true, false},
      {{2, 4, 5, 1}, {1, 3, 1, 1}, {.padding = {3, 0}, .relu = true}},
  };
  return list;
}

// Sizes at which f32 takes other ways than f64: Winograd, chunks, panels, groups of outputs.
const std::vector<Case>& larger_cases() {
  static const std::vector<Case> list{
      {{1, 26, 37, 16}, {48, 3, 3, 16}, {.padding = {1, 1}, .relu = true}, true, true},
      {{9, 14, 14, 32}, {16, 3, 3, 32}, {.padding = {1, 1}}},
      {{40, 7, 7, 16}, {16, 3, 3, 16}, {.padding = {1, 1}, .relu = true}},
      {{1, 33, 50, 32}, {64, 1, 1, 32}, {.relu = true}, true, true},
      {{5, 8, 9, 64}, {15, 1, 1, 64}, {}},
      {{1, 31, 30, 32}, {64, 1, 1, 32}, {.stride = {2, 2}}, false},
      {{2, 23, 18, 16}, {33, 3, 3, 16}, {.stride = {2, 2}, .padding = {1, 1}}},
      {{1, 45, 52, 3}, {64, 7, 7, 3}, {.stride = {2, 2}, .padding = {3, 3}, .relu = true}},
  };
  return list;
}

TEST_CASE("Rejects gradients that do not fit") {
  const Tensor input = random_tensor({1, 5, 5, 4}, 1), weight = random_tensor({6, 3, 3, 4}, 2);
  const Tensor grad = random_tensor({1, 3, 3, 6}, 3);
  CHECK_THROWS_WITH_AS(conv2d_grad_input(grad, weight, {1, 6, 5, 4}, {}),
                       doctest::Contains("[conv2d_grad_input] grad_output must have the output's "
                                         "shape [1,4,3,6]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv2d_grad_weight(grad, input, {5, 3, 3, 4}, {}),
                       doctest::Contains("shape [1,3,3,5]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d_grad_weight(grad, to_f64(input), weight.shape(), {}),
                       doctest::Contains("types differ"), DTypeError);
  CHECK_THROWS_WITH_AS(conv2d_grad_input({}, weight, input.shape(), {}),
                       doctest::Contains("undefined"), ShapeError);
  CHECK_THROWS_WITH_AS(
      conv2d_grad_weight(Tensor::zeros({1, 3, 3, 6}, DType::kI32), input, weight.shape(), {}),
      doctest::Contains("takes f32 or f64"), DTypeError);
}

TEST_CASE("Gradients match finite differences") {
  for (const Case& c : cases()) {
    CAPTURE(c.input.to_string());
    CAPTURE(c.weight.to_string());
    std::vector<Tensor> inputs;
    for (const Tensor& tensor : operands(c)) {
      if (tensor.defined()) inputs.push_back(to_f64(tensor));
    }
    test::check_gradients(
        [&](const std::vector<Tensor>& given) {
          Operands o(4);
          auto next = given.begin();
          o[0] = *next++;
          o[1] = *next++;
          if (c.bias) o[2] = *next++;
          if (c.residual) o[3] = *next++;
          return run(o, c.params);
        },
        inputs);
  }
}

TEST_CASE("Only the gradients that are asked for are there") {
  const Case c{{1, 5, 5, 3}, {4, 3, 3, 3}, {.padding = {1, 1}, .relu = true}, true, true};
  const Tensor grad = grad_output_of(c);
  const Operands all = gradients(operands(c), c.params, grad);
  for (size_t asked = 0; asked < all.size(); ++asked) {
    Operands o = operands(c);
    o[asked].require_grad();
    backward_from(run(o, c.params), grad);
    for (size_t i = 0; i < o.size(); ++i) CHECK(o[i].requires_grad() == (i == asked));
    CHECK(test::count_different_bits(o[asked].grad(), all[asked]) == 0);
  }
  CHECK_FALSE(run(operands(c), c.params).requires_grad());
}

TEST_CASE("A prepared convolution refuses what needs a gradient") {
  const Case c{{1, 5, 5, 3}, {4, 3, 3, 3}, {}, false};
  Operands o = operands(c);
  const PreparedConv2d prepared(o[1], {}, {});
  o[0].require_grad();
  CHECK_THROWS_WITH_AS(prepared.run(o[0]), doctest::Contains("records no gradients"), Error);
  const NoGradGuard no_grad;
  CHECK_FALSE(prepared.run(o[0]).requires_grad());
}

TEST_CASE("f32 gradients agree with f64") {
  for (const auto* list : {&cases(), &larger_cases()}) {
    for (const Case& c : *list) {
      for (const bool strict : {false, true}) {
        CAPTURE(c.input.to_string());
        CAPTURE(c.weight.to_string());
        CAPTURE(strict);
        // Beside the kink a rounding error of the output would open or close the ReLU: f64 gets the
        // same mask in its gradient.
        const Operands o = operands(c);
        Conv2dParams linear = c.params;
        linear.relu = false;
        set_strict_convolution(strict);
        const Tensor grad = grad_output_of(c);
        const Tensor masked = c.params.relu ? relu_backward(grad, run(o, c.params)) : grad;
        const Operands actual = gradients(o, c.params, grad);
        set_strict_convolution(false);
        const Operands expected = gradients(map(o, to_f64), linear, to_f64(masked));
        for (size_t i = 0; i < o.size(); ++i) {
          CAPTURE(i);
          if (o[i].defined()) CHECK(relative_error(actual[i], expected[i]) < 3e-6);
        }
      }
    }
  }
}

TEST_CASE("The direct weight gradient is the same sum on every instruction set") {
  for (const cpu::WinogradKernels& kernels : cpu::winograd_kernels()) {
    CAPTURE(std::string(kernels.name));
    for (const auto* list : {&cases(), &larger_cases()}) {
      for (const Case& c : *list) {
        CAPTURE(c.weight.to_string());
        const Tensor input = operands(c)[0], grad = grad_output_of(c);
        const Tensor actual = Tensor::empty(c.weight);
        cpu::conv2d_weight_gradient(input, grad, c.params, kernels, actual);
        const Tensor expected = conv2d_grad_weight(to_f64(grad), to_f64(input), c.weight, c.params);
        CHECK(relative_error(actual, expected) < 2e-6);
      }
    }
  }
}

TEST_CASE("The number of threads does not change a bit of a gradient") {
  const int before = num_threads();
  for (const Case& c : larger_cases()) {
    CAPTURE(c.input.to_string());
    CAPTURE(c.weight.to_string());
    const Tensor grad = grad_output_of(c);
    set_num_threads(1);
    const Operands expected = gradients(operands(c), c.params, grad);
    for (const int threads : {2, 3, 5}) {
      CAPTURE(threads);
      set_num_threads(threads);
      const Operands actual = gradients(operands(c), c.params, grad);
      for (size_t i = 0; i < actual.size(); ++i) {
        CAPTURE(i);
        if (actual[i].defined()) CHECK(test::count_different_bits(actual[i], expected[i]) == 0);
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("An empty batch has zero gradients") {
  for (Case c : {cases().front(), larger_cases()[1]}) {
    c.input = {0, c.input[1], c.input[2], c.input[3]};
    c.params.relu = true;
    for (const bool wide : {false, true}) {
      Operands o = operands(c);
      Tensor grad = grad_output_of(c);
      if (wide) {
        o = map(o, to_f64);
        grad = to_f64(grad);
      }
      const Operands zero = gradients(o, c.params, grad);
      for (size_t i = 0; i < o.size(); ++i) {
        if (!o[i].defined()) continue;
        CHECK(zero[i].dtype() == o[i].dtype());
        CHECK(test::count_different_bits(zero[i], Tensor::zeros(o[i].shape(), o[i].dtype())) == 0);
      }
    }
  }
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const Case& c : cases()) {
      CAPTURE(c.weight.to_string());
      const auto to_device = [&](const Tensor& tensor) { return copy_to(tensor, device); };
      const Operands o = operands(c);
      const Tensor grad = grad_output_of(c);
      const Operands actual = gradients(map(o, to_device), c.params, to_device(grad));
      const Operands expected = gradients(map(o, to_f64), c.params, to_f64(grad));
      for (size_t i = 0; i < o.size(); ++i) {
        CAPTURE(i);
        if (!o[i].defined()) continue;
        CHECK(actual[i].device() == device);
        CHECK(relative_error(copy_to(actual[i], Device{}), expected[i]) < 3e-6);
      }
    }
  });
}

TEST_CASE("CUDA gradients match the CPU's in bf16: one rounding of the result") {
  test::on_cuda([](Device device) {
    for (Case c : cases()) {
      CAPTURE(c.weight.to_string());
      c.params.relu = false;  // the mask has a case of its own
      const auto narrow = [&](const Tensor& tensor) {
        return copy_to(cast(tensor, DType::kBF16), device);
      };
      const Operands o = operands(c);
      const Tensor grad = grad_output_of(c);
      Operands on_device = map(o, narrow);
      if (o[2].defined()) on_device[2] = copy_to(o[2], device);
      const Operands actual = gradients(on_device, c.params, narrow(grad));
      const Operands expected = gradients(map(map(o, test::rounded_to_bf16), to_f64), c.params,
                                          to_f64(test::rounded_to_bf16(grad)));
      for (size_t i = 0; i < o.size(); ++i) {
        CAPTURE(i);
        if (!o[i].defined()) continue;
        CHECK(actual[i].dtype() == (i == 2 ? DType::kF32 : DType::kBF16));
        CHECK(test::count_far(actual[i], cast(expected[i], DType::kF32),
                              i == 2 ? 1e-6F : test::kBf16Rounding, 1e-4F) == 0);
      }
    }
  });
}

TEST_CASE("CUDA gradients of an empty batch are zero") {
  test::on_cuda([](Device device) {
    Case c = cases()[2];
    c.input = {0, c.input[1], c.input[2], c.input[3]};
    const auto to_device = [&](const Tensor& tensor) { return copy_to(tensor, device); };
    const Operands o = operands(c);
    const Operands zero = gradients(map(o, to_device), c.params, to_device(grad_output_of(c)));
    for (size_t i = 0; i < o.size(); ++i) {
      CHECK(test::count_different_bits(zero[i], Tensor::zeros(o[i].shape())) == 0);
    }
  });
}

}  // namespace
}  // namespace mrcnn
