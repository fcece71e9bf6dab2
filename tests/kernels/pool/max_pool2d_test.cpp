#include "kernels/pool/max_pool2d.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

using test::random_tensor;

constexpr MaxPool2dParams kStem{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
constexpr MaxPool2dParams kSubsample{.kernel = {1, 1}, .stride = {2, 2}};

// The definition: one output, over every tap that lies inside the image.
template <typename T>
T window_maximum(const Tensor& input, const MaxPool2dParams& params, int64_t n, int64_t oy,
                 int64_t ox, int64_t c) {
  T best = -std::numeric_limits<T>::infinity();
  for (int64_t ky = 0; ky < params.kernel[0]; ++ky) {
    for (int64_t kx = 0; kx < params.kernel[1]; ++kx) {
      const int64_t y = oy * params.stride[0] - params.padding[0] + ky;
      const int64_t x = ox * params.stride[1] - params.padding[1] + kx;
      if (y < 0 || x < 0 || y >= input.size(1) || x >= input.size(2)) continue;
      const int64_t index = ((n * input.size(1) + y) * input.size(2) + x) * input.size(3) + c;
      best = std::max(best, input.data<const T>()[index]);
    }
  }
  return best;
}

template <typename T>
void check_against_definition(const Shape& shape, const MaxPool2dParams& params) {
  CAPTURE(shape.to_string());
  const Tensor input = random_tensor<T>(shape, 1);
  const Tensor output = max_pool2d(input, params);
  REQUIRE(output.size(1) ==
          (shape[1] + 2 * params.padding[0] - params.kernel[0]) / params.stride[0] + 1);
  REQUIRE(output.size(2) ==
          (shape[2] + 2 * params.padding[1] - params.kernel[1]) / params.stride[1] + 1);
  int64_t wrong = 0, index = 0;
  for (int64_t n = 0; n < output.size(0); ++n) {
    for (int64_t y = 0; y < output.size(1); ++y) {
      for (int64_t x = 0; x < output.size(2); ++x) {
        for (int64_t c = 0; c < output.size(3); ++c) {
          if (output.data<const T>()[index++] != window_maximum<T>(input, params, n, y, x, c))
            ++wrong;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

void check_same(const Tensor& output, const Tensor& golden) {
  REQUIRE(output.shape() == golden.shape());
  for (int64_t i = 0; i < output.numel(); ++i) {
    const float value = output.data<const float>()[i], expected = golden.data<const float>()[i];
    CHECK((value == expected || (std::isnan(value) && std::isnan(expected))));
  }
}

TEST_CASE("Rejects other ranks, types and windows that do not fit") {
  const Tensor input = random_tensor({1, 4, 4, 2}, 1);
  CHECK_THROWS_WITH_AS(max_pool2d(random_tensor({4, 4, 2}, 1), kStem),
                       doctest::Contains("[N, H, W, C]"), ShapeError);
  CHECK_THROWS_AS(max_pool2d(Tensor{}, kStem), ShapeError);
  CHECK_THROWS_WITH_AS(max_pool2d(input, {.kernel = {5, 5}}),
                       doctest::Contains("smaller than the 5x5"), ShapeError);
  CHECK_THROWS_WITH_AS(max_pool2d(input, {.kernel = {3, 3}, .padding = {2, 1}}),
                       doctest::Contains("padding 2"), ShapeError);
  CHECK_THROWS_AS(max_pool2d(input, {.kernel = {0, 1}}), ShapeError);
  CHECK_THROWS_AS(max_pool2d(input, {.stride = {1, 0}}), ShapeError);
  CHECK_THROWS_AS(max_pool2d(Tensor::empty({1, 0, 4, 2}), {.kernel = {2, 2}, .padding = {1, 1}}),
                  ShapeError);
  CHECK_THROWS_AS(max_pool2d(Tensor::zeros({1, 4, 4, 2}, DType::kI32), kStem), DTypeError);
}

TEST_CASE("Matches golden: torch's pooling, NaN included") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  const Tensor input = golden.at("pool.input");
  check_same(max_pool2d(input, kStem), golden.at("pool.kernel3_stride2_padding1"));
  check_same(max_pool2d(input, kSubsample), golden.at("pool.kernel1_stride2"));
  check_same(max_pool2d(input, {.kernel = {2, 2}}), golden.at("pool.kernel2_stride1"));
}

TEST_CASE("Matches the definition for odd sizes, strides and channel counts") {
  for (const int64_t channels : {1, 15, 16, 17, 64, 65}) {
    check_against_definition<float>({2, 9, 14, channels}, kStem);
    check_against_definition<double>({2, 9, 14, channels}, kStem);
    check_against_definition<float>({1, 7, 5, channels}, kSubsample);
  }
  check_against_definition<float>({1, 6, 11, 3},
                                  {.kernel = {2, 5}, .stride = {3, 1}, .padding = {1, 2}});
  check_against_definition<float>({1, 300, 40, 8}, kStem);  // several chunks of rows
}

// Numbers 0.01 apart in a random order: no small step changes which is the largest.
Tensor distinct_numbers(const Shape& shape, uint64_t seed) {
  const Tensor random = random_tensor<double>(shape, seed);
  std::vector<int64_t> order(static_cast<size_t>(random.numel()));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return random.data<const double>()[a] < random.data<const double>()[b];
  });
  Tensor numbers = Tensor::empty(shape, DType::kF64);
  double next = 0;
  for (const int64_t i : order) numbers.data<double>()[i] = next += 0.01;
  return numbers;
}

constexpr MaxPool2dParams kOdd{.kernel = {2, 5}, .stride = {3, 1}, .padding = {1, 2}};

test::Op pooling(const MaxPool2dParams& params) {
  return [params](const std::vector<Tensor>& in) { return max_pool2d(in[0], params); };
}

TEST_CASE("Gradients match finite differences") {
  test::check_gradients(pooling(kStem), {distinct_numbers({2, 5, 6, 3}, 1)});
  test::check_gradients(pooling(kSubsample), {distinct_numbers({1, 7, 5, 2}, 2)});
  test::check_gradients(pooling(kOdd), {distinct_numbers({1, 6, 7, 2}, 3)});
  test::check_gradients(pooling({.kernel = {2, 2}, .stride = {3, 3}}),
                        {distinct_numbers({1, 8, 7, 1}, 4)});
}

TEST_CASE("The gradient goes to the first maximum, row by row, and to the last NaN") {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto gradient_of = [](const std::vector<float>& values) {
    const Tensor input = Tensor::from<float>(values, {1, 2, 3, 1});
    const MaxPool2dParams whole{.kernel = {2, 3}};
    const Tensor grad = Tensor::from<float>(std::vector<float>{7}, {1, 1, 1, 1});
    const Tensor result = test::op_gradients(pooling(whole), {input}, grad)[0];
    return std::vector<float>(result.data<float>(), result.data<float>() + 6);
  };
  CHECK(gradient_of({1, 5, 5, 5, 0, 2}) == std::vector<float>{0, 7, 0, 0, 0, 0});
  CHECK(gradient_of({3, 3, 3, 3, 3, 3}) == std::vector<float>{7, 0, 0, 0, 0, 0});
  CHECK(gradient_of({1, nan, 5, nan, 9, 2}) == std::vector<float>{0, 0, 0, 7, 0, 0});
  const float lowest = -std::numeric_limits<float>::infinity();
  CHECK(gradient_of(std::vector<float>(6, lowest)) == std::vector<float>{7, 0, 0, 0, 0, 0});
}

// The sums of at most nine numbers are in one order; f64 only adds them more exactly.
TEST_CASE("f32 gradients are near f64's, odd sizes, strides and channel counts") {
  const auto check = [](const Shape& shape, const MaxPool2dParams& params) {
    CAPTURE(shape.to_string());
    const Tensor input = random_tensor(shape, 1);
    const Tensor grad = random_tensor(max_pool2d(input, params).shape(), 2);
    const Tensor narrow = test::op_gradients(pooling(params), {input}, grad)[0];
    const Tensor wide =
        test::op_gradients(pooling(params), {cast(input, DType::kF64)}, cast(grad, DType::kF64))[0];
    CHECK(test::count_far(narrow, cast(wide, DType::kF32), 1e-6F, 1e-6F) == 0);
  };
  for (const int64_t channels : {1, 15, 16, 17, 65}) check({2, 9, 14, channels}, kStem);
  check({1, 6, 11, 3}, kOdd);
  check({1, 300, 40, 8}, kStem);  // several chunks of rows
  check({0, 8, 8, 3}, kStem);
  check({2, 8, 8, 0}, kStem);
}

void check_cuda(const Tensor& input, const MaxPool2dParams& params, Device device) {
  CAPTURE(input.shape().to_string());
  const Tensor there = copy_to(input, device);
  CHECK(test::count_different_bits(max_pool2d(there, params), max_pool2d(input, params)) == 0);
  const Tensor expected = cast(max_pool2d(test::rounded_to_bf16(input), params), DType::kBF16);
  const Tensor output = max_pool2d(cast(there, DType::kBF16), params);
  CHECK(test::count_different_bits(output, expected) == 0);
}

TEST_CASE("CUDA matches the CPU for odd sizes, strides and channel counts") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 8, 31, 33, 64}) {
      check_cuda(random_tensor({2, 5, 8, channels}, 1), kStem, device);
      check_cuda(random_tensor({1, 7, 5, channels}, 2), kSubsample, device);
    }
    check_cuda(random_tensor({1, 6, 11, 3}, 3),
               {.kernel = {2, 5}, .stride = {3, 1}, .padding = {1, 2}}, device);
    check_cuda(random_tensor({1, 1, 1, 3}, 4), kStem, device);
    check_cuda(Tensor::empty({0, 8, 8, 3}), kStem, device);
    check_cuda(Tensor::empty({2, 8, 8, 0}), kStem, device);
  });
}

TEST_CASE("CUDA matches golden: torch's pooling, NaN included") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  test::on_cuda([&](Device device) {
    const Tensor output = max_pool2d(copy_to(golden.at("pool.input"), device), kStem);
    check_same(copy_to(output, Device{}), golden.at("pool.kernel3_stride2_padding1"));
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 8, 33}) {
      test::check_cuda_gradients(pooling(kStem), {random_tensor({2, 5, 8, channels}, 1)}, device);
      test::check_cuda_gradients(pooling(kSubsample), {random_tensor({1, 7, 5, channels}, 2)},
                                 device);
    }
    test::check_cuda_gradients(pooling(kOdd), {random_tensor({1, 6, 11, 3}, 3)}, device);
    test::check_cuda_gradients(pooling(kStem), {Tensor::empty({0, 8, 8, 3})}, device);
    // Equal numbers, and NaN: the same place on both sides.
    Tensor input = random_tensor({1, 6, 7, 4}, 4, 0, 3);
    for (float& value : input.span<float>()) value = std::floor(value);
    input.data<float>()[40] = input.data<float>()[44] = std::nanf("");
    test::check_cuda_gradients(pooling(kStem), {input}, device);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({1, 5, 6, 4}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return max_pool2d(there, kStem); });
    CHECK(test::count_different_bits(output, max_pool2d(input, kStem)) == 0);
  });
}

TEST_CASE("Edges: one pixel, no images, no channels, only -inf") {
  CHECK(max_pool2d(random_tensor({1, 1, 1, 3}, 1), kStem).shape() == Shape{1, 1, 1, 3});
  CHECK(max_pool2d(Tensor::empty({0, 8, 8, 3}), kStem).shape() == Shape{0, 4, 4, 3});
  CHECK(max_pool2d(Tensor::empty({2, 8, 8, 0}), kStem).shape() == Shape{2, 4, 4, 0});
  const float lowest = -std::numeric_limits<float>::infinity();
  const Tensor input = Tensor::from<float>(std::vector<float>(9, lowest), {1, 3, 3, 1});
  for (const float value : max_pool2d(input, kStem).span<const float>()) CHECK(value == lowest);
}

}  // namespace
}  // namespace mrcnn
