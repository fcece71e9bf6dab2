#include "kernels/conv/winograd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_backward.h"
#include "kernels/conv/winograd_weight_gradient.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::Deviation;
using test::deviation;
using test::random_tensor;
using test::to_f64;

struct Case {
  Shape input;
  int64_t outputs = 16;
  bool bias = true;
  bool residual = false;
  bool relu = false;
};

struct Operands {
  Tensor input{}, weight{}, bias{}, residual{};
};

Operands operands(const Case& c) {
  Operands made;
  made.input = random_tensor(c.input, 1);
  made.weight = random_tensor({c.outputs, 3, 3, c.input[3]}, 2);
  if (c.bias) made.bias = random_tensor({c.outputs}, 3);
  if (c.residual) {
    made.residual = random_tensor({c.input[0], c.input[1], c.input[2], c.outputs}, 4, -3, 3);
  }
  return made;
}

Conv2dParams same_size(bool relu) { return {.padding = {1, 1}, .relu = relu}; }

Tensor oracle(const Operands& o, bool relu) {
  return conv2d(to_f64(o.input), to_f64(o.weight), to_f64(o.bias), to_f64(o.residual),
                same_size(relu));
}

Tensor run(const cpu::WinogradKernels& kernels, const Operands& o, bool relu) {
  Tensor output =
      Tensor::empty({o.input.size(0), o.input.size(1), o.input.size(2), o.weight.size(0)});
  cpu::WinogradConv2d(o.weight, kernels).run(o.input, o.bias, o.residual, relu, output);
  return output;
}

// Calls f for every instruction set of this machine.
template <typename F>
void for_each_instruction_set(F&& f) {
  if (cpu::winograd_kernels().empty()) MESSAGE("[SKIP] this machine has no AVX2");
  for (const cpu::WinogradKernels& kernels : cpu::winograd_kernels()) {
    CAPTURE(std::string(kernels.name));
    f(kernels);
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

TEST_CASE("Rejects convolutions that the algorithm does not cover") {
  const auto prepare = [](const Shape& weight, const Conv2dParams& params) {
    return PreparedConv2d(random_tensor(weight, 1), {}, params, Conv2dAlgorithm::kWinograd);
  };
  CHECK_NOTHROW(prepare({16, 3, 3, 32}, same_size(true)));
  CHECK_THROWS_WITH_AS(prepare({16, 5, 5, 16}, {.padding = {1, 1}}),
                       doctest::Contains("Winograd takes 3x3"), ShapeError);
  CHECK_THROWS_AS(prepare({16, 3, 3, 16}, {}), ShapeError);
  CHECK_THROWS_AS(prepare({16, 3, 3, 16}, {.stride = {2, 2}, .padding = {1, 1}}), ShapeError);
  CHECK_THROWS_AS(prepare({16, 3, 3, 15}, same_size(false)), ShapeError);
  CHECK_THROWS_AS(prepare({17, 3, 3, 16}, same_size(false)), ShapeError);
}

TEST_CASE("Matches the f64 loop for sizes around tiles, blocks and panels") {
  const std::vector<Case> cases{
      {{1, 4, 4, 16}},
      {{1, 1, 1, 16}},
      {{2, 5, 3, 32}, 48, true, true, true},  // 48 outputs: a panel and a half
      {{1, 6, 9, 48}, 16, false, false, true},
      {{3, 7, 7, 16}, 32, false, true, false},
      {{1, 19, 22, 16}, 80, true, false, true},  // 30 tiles: more than a block
      {{5, 14, 14, 64}, 64, true, true, true},
      {{1, 12, 1, 16}, 160, true, false, false}};
  for_each_instruction_set([&](const cpu::WinogradKernels& kernels) {
    for (const Case& c : cases) {
      CAPTURE(c.input.to_string());
      const Operands o = operands(c);
      // Twice the tolerance of the direct convolution.
      CHECK(deviation(run(kernels, o, c.relu), oracle(o, c.relu)).max < 4e-5);
    }
  });
}

TEST_CASE("The rounding error stays near the direct convolution's") {
  const Operands o = operands({{1, 16, 20, 256}, 32});
  const Tensor expected = oracle(o, false);
  const PreparedConv2d prepared(o.weight, o.bias, same_size(false), Conv2dAlgorithm::kDirect);
  const Deviation direct = deviation(prepared.run(o.input), expected);
  for_each_instruction_set([&](const cpu::WinogradKernels& kernels) {
    const Deviation winograd = deviation(run(kernels, o, false), expected);
    MESSAGE(std::string(kernels.name), ": rms ", winograd.rms, ", max ", winograd.max,
            "; direct: rms ", direct.rms, ", max ", direct.max);
    CHECK(winograd.rms < 3e-6);
    CHECK(winograd.max < 3e-5);
  });
}

TEST_CASE("A batch equals its images one by one, bit by bit, with any number of threads") {
  const Operands o = operands({{4, 14, 15, 32}, 64, true, true, true});
  const int before = num_threads();
  for_each_instruction_set([&](const cpu::WinogradKernels& kernels) {
    const Tensor batch = run(kernels, o, true);
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      for (int64_t n = 0; n < 4; ++n) {
        const Operands one{o.input.slice(n, n + 1), o.weight, o.bias, o.residual.slice(n, n + 1)};
        CHECK(same_bits(run(kernels, one, true), batch.slice(n, n + 1)));
      }
    }
    set_num_threads(before);
  });
}

TEST_CASE("Gradients match the f64 loops, and the weight's does not depend on the threads") {
  const std::vector<Case> cases{{{1, 4, 4, 16}},      {{1, 1, 1, 16}, 32},   {{2, 5, 3, 48}, 16},
                                {{3, 7, 9, 16}, 80},  {{1, 19, 22, 64}, 48}, {{0, 5, 5, 16}},
                                {{2, 90, 70, 16}, 16}};  // more tiles than a chunk
  const int before = num_threads();
  for_each_instruction_set([&](const cpu::WinogradKernels& kernels) {
    for (const Case& c : cases) {
      CAPTURE(c.input.to_string());
      const Tensor input = random_tensor(c.input, 1);
      const Tensor weight = random_tensor({c.outputs, 3, 3, c.input[3]}, 2);
      const Tensor grad = random_tensor({c.input[0], c.input[1], c.input[2], c.outputs}, 3);
      const Conv2dParams params = same_size(false);

      const Tensor grad_input = Tensor::empty(c.input);
      cpu::WinogradConv2d(weight, kernels, cpu::WinogradDirection::kDataGradient)
          .run(grad, {}, {}, false, grad_input);
      CHECK(deviation(grad_input, conv2d_grad_input(to_f64(grad), to_f64(weight), c.input, params))
                .max < 4e-5);

      const Tensor grad_weight = Tensor::empty(weight.shape());
      cpu::winograd_weight_gradient(input, grad, kernels, grad_weight);
      CHECK(deviation(grad_weight,
                      conv2d_grad_weight(to_f64(grad), to_f64(input), weight.shape(), params))
                .max < 4e-5);
      for (const int threads : {1, 3}) {
        set_num_threads(threads);
        const Tensor again = Tensor::empty(weight.shape());
        cpu::winograd_weight_gradient(input, grad, kernels, again);
        CHECK(same_bits(again, grad_weight));
      }
      set_num_threads(before);
    }
  });
}

TEST_CASE("A prepared convolution takes Winograd where it pays, unless strict") {
  const Operands o = operands({{1, 16, 16, 32}, 32});
  const Tensor expected = oracle(o, true);
  const PreparedConv2d prepared(o.weight, o.bias, same_size(true));
  const bool available = !cpu::winograd_kernels().empty();
  CHECK(prepared.runs_winograd(o.input.shape()) == available);
  CHECK_FALSE(prepared.runs_winograd({1, 4, 4, 32}));   // one tile
  CHECK_FALSE(prepared.runs_winograd({64, 1, 1, 32}));  // tiles nearly empty
  const Tensor fast = prepared.run(o.input);
  CHECK(deviation(fast, expected).max < 4e-5);

  set_strict_convolution(true);
  CHECK_FALSE(prepared.runs_winograd(o.input.shape()));
  const Tensor strict = prepared.run(o.input);
  set_strict_convolution(false);
  CHECK(deviation(strict, expected).max < 2e-5);
  CHECK(same_bits(fast, prepared.run(o.input)));

  const PreparedConv2d forced(o.weight, o.bias, same_size(true), Conv2dAlgorithm::kWinograd);
  CHECK(forced.runs_winograd({1, 4, 4, 32}) == available);
  CHECK(same_bits(forced.run(o.input), fast));
  const PreparedConv2d direct(o.weight, o.bias, same_size(true), Conv2dAlgorithm::kDirect);
  CHECK_FALSE(direct.runs_winograd(o.input.shape()));
}

TEST_CASE("Edges: no images, and values that are not numbers stay in their neighbourhood") {
  const Operands o = operands({{1, 16, 16, 16}});
  for_each_instruction_set([&](const cpu::WinogradKernels& kernels) {
    const Operands none{Tensor::empty({0, 16, 16, 16}), o.weight, o.bias, {}};
    CHECK(run(kernels, none, false).shape() == Shape{0, 16, 16, 16});
    Operands spoiled = o;
    spoiled.input = o.input.clone();
    spoiled.input.data<float>()[0] = NAN;  // pixel (0, 0): only the first tile reads it
    const Tensor output = run(kernels, spoiled, false);
    const auto value = [&](int64_t y, int64_t x) {
      return output.data<const float>()[(y * 16 + x) * 16];
    };
    CHECK(std::isnan(value(0, 0)));
    CHECK_FALSE(std::isnan(value(0, 4)));
    CHECK_FALSE(std::isnan(value(4, 0)));
  });
}

}  // namespace
}  // namespace mrcnn
