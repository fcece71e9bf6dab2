#include "kernels/conv/conv2d.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::deviation;
using test::random_tensor;
using test::to_f64;

// Sums of some hundred f32 products: about sqrt(count) roundings of 6e-8.
constexpr double kMaxDeviation = 2e-5;

struct Case {
  Shape input;
  Shape weight;
  Conv2dParams params;
  bool bias = true;
  bool residual = false;
};

struct Operands {
  Tensor input{}, weight{}, bias{}, residual{};
};

Operands operands(const Case& c) {
  Operands made;
  made.input = random_tensor(c.input, 1);
  made.weight = random_tensor(c.weight, 2);
  if (c.bias) made.bias = random_tensor({c.weight[0]}, 3);
  if (c.residual) {
    made.residual = random_tensor(conv2d_output_shape(c.input, c.weight, c.params), 4, -3, 3);
  }
  return made;
}

Tensor oracle(const Operands& o, const Conv2dParams& params) {
  return conv2d(to_f64(o.input), to_f64(o.weight), to_f64(o.bias), to_f64(o.residual), params);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {{1, 17, 23, 3}, {16, 7, 7, 3}, {.stride = {2, 2}, .padding = {3, 3}, .relu = true}},
      {{2, 9, 11, 5}, {7, 3, 3, 5}, {.padding = {1, 1}}, true, true},
      {{3, 8, 8, 16}, {32, 3, 3, 16}, {.stride = {2, 2}, .padding = {1, 1}, .relu = true}},
      {{1, 10, 7, 64}, {48, 1, 1, 64}, {.relu = true}, true, true},
      {{2, 9, 7, 32}, {64, 1, 1, 32}, {.stride = {2, 2}}, false, false},
      {{5, 4, 6, 8}, {3, 2, 4, 8}, {.stride = {1, 3}, .padding = {0, 2}}, false, true},
      {{1, 5, 5, 1}, {1, 5, 5, 1}, {}},
      {{1, 3, 3, 2}, {4, 3, 3, 2}, {.stride = {5, 5}, .padding = {4, 4}}},
      {{7, 6, 6, 32}, {32, 3, 3, 32}, {.padding = {1, 1}, .relu = true}, true, true},
  };
  return list;
}

TEST_CASE("Rejects shapes, parameters, types and devices that do not fit") {
  const Tensor input = random_tensor({1, 8, 8, 4}, 1);
  const Tensor weight = random_tensor({6, 3, 3, 4}, 2);
  CHECK_THROWS_WITH_AS(conv2d(input, random_tensor({6, 3, 3, 5}, 2), {}, {}, {}),
                       doctest::Contains("[conv2d] input has 4 channels but weight expects 5"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(random_tensor({8, 8, 4}, 1), weight, {}, {}, {}),
                       doctest::Contains("[N,H,W,C]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(random_tensor({1, 2, 8, 4}, 1), weight, {}, {}, {}),
                       doctest::Contains("smaller than the 3x3 kernel"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(input, weight, random_tensor({5}, 3), {}, {}),
                       doctest::Contains("6 outputs"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(input, weight, {}, random_tensor({1, 8, 8, 6}, 3), {}),
                       doctest::Contains("output's shape [1,6,6,6]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(input, weight, {}, {}, {.stride = {0, 1}}),
                       doctest::Contains("stride 0x1"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(input, weight, {}, {}, {.padding = {0, -1}}),
                       doctest::Contains("padding 0x-1"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(Tensor{}, weight, {}, {}, {}), doctest::Contains("undefined"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(input, Tensor{}, {}, {}, {}), doctest::Contains("undefined"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(to_f64(input), weight, {}, {}, {}),
                       doctest::Contains("weight is f32 but input is"), DTypeError);
  CHECK_THROWS_AS(conv2d(input, weight, random_tensor<double>({6}, 3), {}, {}), DTypeError);
  CHECK_THROWS_WITH_AS(conv2d(Tensor::zeros({1, 8, 8, 4}, DType::kI32),
                              Tensor::zeros({6, 3, 3, 4}, DType::kI32), {}, {}, {}),
                       doctest::Contains("takes f32 or f64"), DTypeError);
  CHECK_THROWS_WITH_AS(PreparedConv2d(to_f64(weight), {}, {}), doctest::Contains("only f32"),
                       DTypeError);
  CHECK_THROWS_AS(PreparedConv2d(weight, {}, {}).run(random_tensor({1, 8, 8, 5}, 1)), ShapeError);
}

TEST_CASE("The plain f64 loop gives a convolution computed by hand") {
  // Input 0..8 in a 3x3 square, weight 1..4 in a 2x2 square; bias 10, residual 100.
  const Tensor input =
      Tensor::from<double>(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8}, {1, 3, 3, 1});
  const Tensor weight = Tensor::from<double>(std::vector<double>{1, 2, 3, 4}, {1, 2, 2, 1});
  const Tensor bias = Tensor::from<double>(std::vector<double>{10}, {1});
  const Tensor residual = Tensor::from<double>(std::vector<double>(4, 100), {1, 2, 2, 1});
  const Tensor output = conv2d(input, weight, bias, residual, {});
  const std::vector<double> expected{137, 147, 167, 177};
  CHECK(std::vector<double>(output.span<double>().begin(), output.span<double>().end()) ==
        expected);
  // Stride 2 with padding 1: the top left window holds only the last weight on the first pixel.
  const Tensor strided = conv2d(input, weight, {}, {}, {.stride = {2, 2}, .padding = {1, 1}});
  const std::vector<double> corners{0, 4 * 2 + 3 * 1, 4 * 6 + 2 * 3, 1 * 4 + 2 * 5 + 3 * 7 + 4 * 8};
  CHECK(std::vector<double>(strided.span<double>().begin(), strided.span<double>().end()) ==
        corners);
}

TEST_CASE("f32 matches the f64 loop, directly and by Winograd") {
  for (const Case& c : cases()) {
    CAPTURE(c.input.to_string());
    CAPTURE(c.weight.to_string());
    const Operands o = operands(c);
    const Tensor expected = oracle(o, c.params);
    const auto error = [&] {
      return deviation(conv2d(o.input, o.weight, o.bias, o.residual, c.params), expected).max;
    };
    CHECK(error() < 2 * kMaxDeviation);
    set_strict_convolution(true);
    CHECK(error() < kMaxDeviation);
    set_strict_convolution(false);
  }
}

TEST_CASE("A prepared convolution gives the same for every batch size") {
  for (const Case& c : cases()) {
    CAPTURE(c.input.to_string());
    const Operands o = operands(c);
    const Tensor expected = oracle(o, c.params);
    const PreparedConv2d prepared(o.weight, o.bias, c.params, Conv2dAlgorithm::kDirect);
    for (int64_t batch = c.input[0]; batch >= 0; --batch) {
      const Tensor residual = c.residual ? o.residual.slice(0, batch) : Tensor{};
      const Tensor output = prepared.run(o.input.slice(0, batch), residual);
      CHECK(deviation(output, expected.slice(0, batch)).max < kMaxDeviation);
    }
  }
}

TEST_CASE("A prepared convolution takes other sizes, and a residual now and then") {
  const Tensor weight = random_tensor({8, 3, 3, 4}, 1);
  const Conv2dParams params{.padding = {1, 1}};
  const PreparedConv2d prepared(weight, {}, params);
  for (int64_t i = 0; i < 40; ++i) {  // more sizes than are kept
    Operands o{.input = random_tensor({1, 3 + i % 20, 5, 4}, 2), .weight = weight};
    if (i % 3 == 0) o.residual = random_tensor({1, 3 + i % 20, 5, 8}, 3);
    CHECK(deviation(prepared.run(o.input, o.residual), oracle(o, params)).max < kMaxDeviation);
  }
  CHECK(prepared.weight_shape() == weight.shape());
  CHECK(prepared.flops({2, 5, 5, 4}) == 2 * 2 * 5 * 5 * 8 * 3 * 3 * 4);
}

TEST_CASE("A residual is added, not overwritten") {
  const Case c{{1, 6, 6, 16}, {16, 1, 1, 16}, {.relu = true}, true, true};
  const Operands o = operands(c);
  const Tensor before = o.residual.clone();
  static_cast<void>(conv2d(o.input, o.weight, o.bias, o.residual, c.params));
  CHECK(deviation(o.residual, to_f64(before)).max == 0);
}

TEST_CASE("One prepared convolution serves several threads") {
  const Case c{{3, 12, 12, 16}, {32, 3, 3, 16}, {.padding = {1, 1}, .relu = true}};
  const Operands o = operands(c);
  const PreparedConv2d prepared(o.weight, o.bias, c.params);
  const Tensor expected = oracle(o, c.params);
  std::vector<double> worst(4, 0);
  {
    std::vector<std::jthread> threads;
    for (double& mine : worst) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          mine = std::max(mine, deviation(prepared.run(o.input), expected).max);
        }
      });
    }
  }
  for (const double each : worst) CHECK(each < kMaxDeviation);
}

TEST_CASE("Edges: no images") {
  const PreparedConv2d prepared(random_tensor({8, 3, 3, 4}, 1), {}, {});
  CHECK(prepared.run(Tensor::empty({0, 5, 5, 4})).shape() == Shape{0, 3, 3, 8});
}

}  // namespace
TEST_CASE("A residual nobody else holds gives its memory, a shared one stays as it was") {
  const Tensor input = random_tensor({2, 5, 6, 16}, 1);
  const Tensor weight = random_tensor({32, 1, 1, 16}, 2);
  const Tensor bias = random_tensor({32}, 3);
  const Tensor residual = random_tensor({2, 5, 6, 32}, 4);
  const PreparedConv2d conv(weight, bias, {.relu = true});
  const Tensor expected = conv.run(input, residual);
  const Tensor before = residual.clone();
  const Tensor shared = conv.run_reusing(input, residual);
  CHECK(shared.raw() != residual.raw());
  CHECK(std::memcmp(before.raw(), residual.raw(), static_cast<size_t>(before.bytes())) == 0);
  Tensor owned = residual.clone();
  const std::byte* const memory = owned.raw();
  const Tensor reused = conv.run_reusing(input, std::move(owned));
  CHECK(reused.raw() == memory);
  for (int64_t i = 0; i < expected.numel(); ++i) {
    CHECK(reused.data<const float>()[i] ==
          doctest::Approx(expected.data<const float>()[i]).epsilon(1e-5));
    CHECK(shared.data<const float>()[i] == expected.data<const float>()[i]);
  }
}

namespace {

Tensor bf16(const Tensor& tensor) {
  return tensor.defined() ? cast(tensor, DType::kBF16) : Tensor{};
}

}  // namespace

TEST_CASE("CUDA matches the CPU: epilogues, strides, 1x1 as a product") {
  test::on_cuda([](Device device) {
    for (const Case& c : cases()) {
      CAPTURE(c.weight.to_string());
      const Operands o = operands(c);
      const Tensor output = conv2d(copy_to(o.input, device), copy_to(o.weight, device),
                                   copy_to(o.bias, device), copy_to(o.residual, device), c.params);
      CHECK(output.device() == device);
      CHECK(deviation(copy_to(output, Device{}), oracle(o, c.params)).max < kMaxDeviation);
    }
  });
}

TEST_CASE("CUDA matches the CPU in bf16: one rounding of the result") {
  test::on_cuda([](Device device) {
    for (const Case& c : cases()) {
      CAPTURE(c.weight.to_string());
      Operands o = operands(c);
      const Tensor output =
          conv2d(copy_to(bf16(o.input), device), copy_to(bf16(o.weight), device),
                 copy_to(o.bias, device), copy_to(bf16(o.residual), device), c.params);
      CHECK(output.dtype() == DType::kBF16);
      o.input = test::rounded_to_bf16(o.input);
      o.weight = test::rounded_to_bf16(o.weight);
      if (o.residual.defined()) o.residual = test::rounded_to_bf16(o.residual);
      const Tensor expected = cast(oracle(o, c.params), DType::kF32);
      CHECK(test::count_far(output, expected, test::kBf16Rounding, 1e-4F) == 0);
    }
  });
}

TEST_CASE("CUDA: rejects tensors on different devices, takes an empty batch") {
  test::on_cuda([](Device device) {
    const Tensor weight = random_tensor({4, 1, 1, 8}, 1);
    const Tensor input = random_tensor({1, 3, 3, 8}, 2);
    CHECK_THROWS_WITH_AS(conv2d(input, copy_to(weight, device), {}, {}, {}),
                         doctest::Contains("different devices"), DeviceError);
    CHECK_THROWS_WITH_AS(PreparedConv2d(weight, {}, {}).run(copy_to(input, device)),
                         doctest::Contains("runs on the CPU only"), DeviceError);
    const Tensor none = Tensor::empty({0, 3, 3, 8}, DType::kF32, device);
    CHECK(conv2d(none, copy_to(weight, device), {}, {}, {}).shape() == Shape{0, 3, 3, 4});
  });
}

}  // namespace mrcnn
