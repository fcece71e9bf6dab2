#include "kernels/elementwise/sigmoid.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/elementwise/exp_f32.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"
#include "tests/support/text_golden.h"

namespace mrcnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("Rejects undefined tensors and integers") {
  CHECK_THROWS_WITH_AS(sigmoid(Tensor{}), doctest::Contains("[sigmoid]"), ShapeError);
  CHECK_THROWS_AS(sigmoid(Tensor::zeros({2}, DType::kU8)), DTypeError);
}

TEST_CASE("Matches golden: torch's sigmoid") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  const Tensor output = sigmoid(golden.at("logits"));
  for (int64_t i = 0; i < output.numel(); ++i) {
    const auto expected = static_cast<double>(golden.at("sigmoid").data<const float>()[i]);
    CHECK(std::abs(static_cast<double>(output.data<const float>()[i]) - expected) <=
          1e-6 * expected);
  }
}

TEST_CASE("exp is within 2 units in the last place over its whole range") {
  double worst = 0;
  for (float x = -87.0F; x < 88.7F; x += 0.00137F) {
    const double exact = std::exp(static_cast<double>(x));
    const auto rounded = static_cast<float>(exact);
    const double unit = static_cast<double>(std::nextafter(rounded, kInfinity) - rounded);
    worst = std::max(worst, std::abs(static_cast<double>(exp_f32(x)) - exact) / unit);
  }
  CHECK(worst <= 2);
}

TEST_CASE("exp at its ends: denormals, zero, infinity, NaN") {
  CHECK(exp_f32(0) == 1);
  CHECK(exp_f32(-100) == doctest::Approx(3.783506e-44).epsilon(0.03));  // 27 denormal units
  CHECK(exp_f32(-104) == 0);
  CHECK(exp_f32(-kInfinity) == 0);
  CHECK(exp_f32(88.72F) < kInfinity);
  CHECK(exp_f32(88.73F) == kInfinity);
  CHECK(exp_f32(kInfinity) == kInfinity);
  CHECK(std::isnan(exp_f32(std::nanf(""))));
}

template <typename T>
void check_against_definition(int64_t count, double tolerance) {
  const Tensor input = test::random_tensor<T>({count}, 1, -30, 30);
  const Tensor output = sigmoid(input);
  double worst = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double expected = 1 / (1 + std::exp(-static_cast<double>(input.data<const T>()[i])));
    const auto value = static_cast<double>(output.data<const T>()[i]);
    worst = std::max(worst, std::abs(value - expected) / expected);
  }
  CHECK(worst <= tolerance);
}

TEST_CASE("Matches the definition at vector and chunk edges") {
  for (const int64_t count : {0, 1, 31, 32, 33, 257, 20001}) {
    check_against_definition<float>(count, 4e-7);
    check_against_definition<double>(count, 1e-15);
  }
}

TEST_CASE("Gradients match finite differences") {
  const auto op = [](const std::vector<Tensor>& in) { return sigmoid(in[0]); };
  test::check_gradients(op, {test::random_tensor<double>({3, 7, 5}, 1, -4, 4)});
}

TEST_CASE("f32 gradients are near f64's at vector and chunk edges") {
  const auto op = [](const std::vector<Tensor>& in) { return sigmoid(in[0]); };
  for (const int64_t count : {0, 1, 31, 32, 33, 257, 20001}) {
    const Tensor input = test::random_tensor({count}, 1, -8, 8);
    const Tensor grad = test::random_tensor({count}, 2);
    const Tensor wide =
        test::op_gradients(op, {cast(input, DType::kF64)}, cast(grad, DType::kF64))[0];
    // 1 - y keeps 6e-8 of 1, whatever is left of it.
    const Tensor narrow = test::op_gradients(op, {input}, grad)[0];
    CHECK(test::count_far(narrow, cast(wide, DType::kF32), 1e-6F, 2e-7F) == 0);
  }
}

// The exponential is the same arithmetic on both sides, so the bits are too.
TEST_CASE("CUDA matches the CPU at pack, warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int64_t count : {0, 1, 3, 31, 32, 33, 257, 2049}) {
      CAPTURE(count);
      const Tensor input = test::random_tensor({count}, 1, -30, 30);
      CHECK(test::count_different_bits(sigmoid(copy_to(input, device)), sigmoid(input)) == 0);
      const Tensor expected = cast(sigmoid(test::rounded_to_bf16(input)), DType::kBF16);
      const Tensor output = sigmoid(cast(copy_to(input, device), DType::kBF16));
      CHECK(test::count_different_bits(output, expected) == 0);
    }
    const Tensor ends = Tensor::from<float>(
        std::vector<float>{std::nanf(""), kInfinity, -kInfinity, -500, -88, 88, 0}, {7});
    CHECK(test::count_different_bits(sigmoid(copy_to(ends, device)), sigmoid(ends)) == 0);
  });
}

// The exponential is the same arithmetic on both sides. bf16 computes from the rounded result y:
// y * (1 - y) moves by at most a rounding of y.
TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    const auto op = [](const std::vector<Tensor>& in) { return sigmoid(in[0]); };
    for (const int64_t count : {0, 1, 33, 257}) {
      test::check_cuda_gradients(op, {test::random_tensor({count}, 1, -8, 8)}, device,
                                 {.bf16_absolute = test::kBf16Rounding});
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({33}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return sigmoid(there); });
    CHECK(test::count_different_bits(output, sigmoid(input)) == 0);
  });
}

TEST_CASE("Edges: NaN and infinities") {
  const Tensor input =
      Tensor::from<float>(std::vector<float>{std::nanf(""), kInfinity, -kInfinity, -500}, {4});
  const Tensor output = sigmoid(input);
  CHECK(std::isnan(output.data<const float>()[0]));
  CHECK(output.data<const float>()[1] == 1);
  CHECK(output.data<const float>()[2] == 0);
  CHECK(output.data<const float>()[3] == 0);
}

}  // namespace
}  // namespace mrcnn
