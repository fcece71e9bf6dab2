#include "kernels/reduce/softmax.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

TEST_CASE("Rejects scalars, undefined tensors and integers") {
  CHECK_THROWS_WITH_AS(softmax(Tensor{}), doctest::Contains("[..., K]"), ShapeError);
  CHECK_THROWS_AS(softmax(Tensor::zeros({})), ShapeError);
  CHECK_THROWS_AS(softmax(Tensor::zeros({2}, DType::kI64)), DTypeError);
}

TEST_CASE("Matches golden: torch's softmax, with a logit of 100 and a row of equal ones") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  const Tensor output = softmax(golden.at("logits"));
  for (int64_t i = 0; i < output.numel(); ++i) {
    const auto expected = static_cast<double>(golden.at("softmax").data<const float>()[i]);
    // 1e-44: results near the smallest denormal differ by its last unit.
    CHECK(std::abs(static_cast<double>(output.data<const float>()[i]) - expected) <=
          1e-6 * expected + 1e-44);
  }
}

template <typename T>
void check_against_definition(const Shape& shape, double tolerance) {
  CAPTURE(shape.to_string());
  const Tensor input = test::random_tensor<T>(shape, 1, -12, 12);
  const Tensor output = softmax(input);
  REQUIRE(output.shape() == shape);
  const int64_t columns = shape[-1];
  double worst = 0;
  for (int64_t i = 0; i < input.numel(); ++i) {
    const T* row = input.data<const T>() + i / columns * columns;
    double sum = 0;
    for (int64_t k = 0; k < columns; ++k) {
      sum += std::exp(static_cast<double>(row[k]) - static_cast<double>(row[i % columns]));
    }
    worst = std::max(worst, std::abs(static_cast<double>(output.data<const T>()[i]) * sum - 1));
  }
  CHECK(worst <= tolerance);
}

TEST_CASE("Matches the definition, odd sizes, f32 and f64") {
  // f32: the subtraction of the maximum rounds a difference of up to 24 to 1e-6 of the result.
  for (const int64_t columns : {1, 2, 31, 32, 33, 91, 257}) {
    check_against_definition<float>({3, 5, columns}, 2e-6);
    check_against_definition<double>({3, 5, columns}, 1e-14);
  }
  check_against_definition<float>({1000, 91}, 2e-6);
}

TEST_CASE("Gradients match finite differences") {
  const auto op = [](const std::vector<Tensor>& in) { return softmax(in[0]); };
  for (const int64_t columns : {1, 2, 7, 33}) {
    test::check_gradients(op, {test::random_tensor<double>({2, 3, columns}, 1, -3, 3)});
  }
}

TEST_CASE("f32 gradients are near f64's") {
  const auto op = [](const std::vector<Tensor>& in) { return softmax(in[0]); };
  for (const int64_t columns : {1, 31, 91, 257}) {
    const Tensor input = test::random_tensor({100, columns}, 1, -8, 8);
    const Tensor grad = test::random_tensor({100, columns}, 2);
    const Tensor wide =
        test::op_gradients(op, {cast(input, DType::kF64)}, cast(grad, DType::kF64))[0];
    // grad - sum cancels where one class has all the probability: 6e-8 of 1 is left.
    const Tensor narrow = test::op_gradients(op, {input}, grad)[0];
    CHECK(test::count_far(narrow, cast(wide, DType::kF32), 4e-6F, 2e-7F) == 0);
  }
}

// The sums are rounded differently: f32 in the order of lanes, against f64 from left to right. For
// 257 positive terms that is at most 9 additions a lane and 5 between lanes, each half a unit in
// the last place: 14 * 6e-8.
constexpr float kSumTolerance = 9e-7F;

TEST_CASE("CUDA matches the CPU at warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int64_t columns : {1, 2, 31, 32, 33, 91, 257}) {
      for (const int64_t rows : {1, 3, 5}) {
        CAPTURE(columns);
        const Tensor input = test::random_tensor({rows, columns}, 1, -12, 12);
        CHECK(test::count_far(softmax(copy_to(input, device)), softmax(input), kSumTolerance) == 0);
        const Tensor output = softmax(cast(copy_to(input, device), DType::kBF16));
        REQUIRE(output.dtype() == DType::kBF16);
        const Tensor expected = softmax(test::rounded_to_bf16(input));
        CHECK(test::count_far(output, expected, test::kBf16Rounding + kSumTolerance) == 0);
      }
    }
  });
}

TEST_CASE("CUDA edges: empty, NaN, infinities") {
  test::on_cuda([](Device device) {
    CHECK(softmax(Tensor::empty({0, 91}, DType::kF32, device)).shape() == Shape{0, 91});
    CHECK(softmax(Tensor::empty({4, 0}, DType::kF32, device)).numel() == 0);
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor input = Tensor::from<float>(
        std::vector<float>{1, std::nanf(""), infinity, 0, -infinity, -infinity, -infinity, 0},
        {4, 2});
    CHECK(test::count_different_bits(softmax(copy_to(input, device)), softmax(input)) == 0);
  });
}

// The sum over a row is of products below 1 in another order; bf16 computes from the rounded
// result.
TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    const auto op = [](const std::vector<Tensor>& in) { return softmax(in[0]); };
    for (const int64_t columns : {0, 1, 33, 91}) {
      test::check_cuda_gradients(op, {test::random_tensor({3, columns}, 1, -4, 4)}, device,
                                 {.relative = 1e-6F,
                                  .absolute = 5e-7F,
                                  .bf16_relative = 4 * test::kBf16Rounding,
                                  .bf16_absolute = test::kBf16Rounding});
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({3, 33}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return softmax(there); });
    CHECK(test::count_different_bits(output, copy_to(softmax(there), Device{})) == 0);
  });
}

TEST_CASE("Edges: empty, NaN, infinities") {
  CHECK(softmax(Tensor::empty({0, 91})).shape() == Shape{0, 91});
  CHECK(softmax(Tensor::empty({4, 0})).numel() == 0);
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor input = Tensor::from<float>(
      std::vector<float>{1, std::nanf(""), infinity, 0, -infinity, -infinity, -infinity, 0},
      {4, 2});
  const Tensor output = softmax(input);
  for (int64_t i = 0; i < 6; ++i) CHECK(std::isnan(output.data<const float>()[i]));
  CHECK(output.data<const float>()[6] == 0);
  CHECK(output.data<const float>()[7] == 1);
}

}  // namespace
}  // namespace mrcnn
