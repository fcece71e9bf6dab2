#include "kernels/elementwise/relu.h"

#include <doctest/doctest.h>

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

template <typename T>
void check_against_definition(int64_t count) {
  const Tensor input = test::random_tensor<T>({count}, 1);
  const Tensor output = relu(input);
  int64_t wrong = 0;
  for (int64_t i = 0; i < count; ++i) {
    const T x = input.data<const T>()[i];
    if (output.data<const T>()[i] != (x > T(0) ? x : T(0))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Rejects undefined tensors and integers") {
  CHECK_THROWS_WITH_AS(relu(Tensor{}), doctest::Contains("[relu]"), ShapeError);
  CHECK_THROWS_AS(relu(Tensor::zeros({2}, DType::kI32)), DTypeError);
}

TEST_CASE("Matches golden: torch's relu") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  const Tensor output = relu(golden.at("logits"));
  for (int64_t i = 0; i < output.numel(); ++i) {
    CHECK(output.data<const float>()[i] == golden.at("relu").data<const float>()[i]);
  }
}

TEST_CASE("Matches the definition at vector and chunk edges") {
  for (const int64_t count : {0, 1, 31, 32, 33, 257, 70001}) {
    check_against_definition<float>(count);
    check_against_definition<double>(count);
  }
}

// Numbers that no small step carries across the kink at 0.
Tensor away_from_zero(const Shape& shape, uint64_t seed) {
  Tensor tensor = test::random_tensor<double>(shape, seed);
  for (double& value : tensor.span<double>()) value += value < 0 ? -0.01 : 0.01;
  return tensor;
}

TEST_CASE("Gradients match finite differences") {
  const auto op = [](const std::vector<Tensor>& in) { return relu(in[0]); };
  test::check_gradients(op, {away_from_zero({3, 7, 5}, 1)});
}

TEST_CASE("The gradient passes where the result is positive or NaN") {
  const Tensor input = Tensor::from<float>(std::vector<float>{-1, 0, 2, std::nanf(""), -0.0F}, {5});
  const Tensor grad = Tensor::from<float>(std::vector<float>{10, 20, 30, 40, 50}, {5});
  const auto op = [](const std::vector<Tensor>& in) { return relu(in[0]); };
  const Tensor expected = Tensor::from<float>(std::vector<float>{0, 0, 30, 40, 0}, {5});
  CHECK(test::count_different_bits(test::op_gradients(op, {input}, grad)[0], expected) == 0);
}

TEST_CASE("f32 gradients equal f64's at vector and chunk edges") {
  const auto op = [](const std::vector<Tensor>& in) { return relu(in[0]); };
  for (const int64_t count : {0, 1, 31, 32, 33, 257, 70001}) {
    const Tensor input = test::random_tensor({count}, 1), grad = test::random_tensor({count}, 2);
    const Tensor wide =
        test::op_gradients(op, {cast(input, DType::kF64)}, cast(grad, DType::kF64))[0];
    const Tensor narrow = test::op_gradients(op, {input}, grad)[0];
    CHECK(test::count_different_bits(narrow, cast(wide, DType::kF32)) == 0);
  }
}

TEST_CASE("CUDA matches the CPU at pack, warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int64_t count : {0, 1, 3, 31, 32, 33, 257, 2049}) {
      CAPTURE(count);
      const Tensor input = test::random_tensor({count}, 1);
      CHECK(test::count_different_bits(relu(copy_to(input, device)), relu(input)) == 0);
      // The larger of two numbers needs no rounding, so bf16 is exact too.
      const Tensor rounded = cast(input, DType::kBF16);
      const Tensor expected = cast(relu(cast(rounded, DType::kF32)), DType::kBF16);
      CHECK(test::count_different_bits(relu(copy_to(rounded, device)), expected) == 0);
    }
  });
}

TEST_CASE("CUDA takes slices that start between packs") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({5, 67}, 2);
    const Tensor output = relu(copy_to(input, device).slice(1, 4));
    CHECK(test::count_different_bits(output, relu(input.slice(1, 4))) == 0);
  });
}

TEST_CASE("CUDA keeps NaN and infinities, and refuses f64") {
  test::on_cuda([](Device device) {
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor input =
        Tensor::from<float>(std::vector<float>{std::nanf(""), infinity, -infinity, -0.0F}, {4});
    CHECK(test::count_different_bits(relu(copy_to(input, device)), relu(input)) == 0);
    const Tensor f64 = Tensor::empty({2}, DType::kF64, device);
    CHECK_THROWS_WITH_AS(relu(f64), doctest::Contains("[relu] takes f32 or bf16"), DTypeError);
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    const auto op = [](const std::vector<Tensor>& in) { return relu(in[0]); };
    for (const int64_t count : {0, 1, 33, 257}) {
      test::check_cuda_gradients(op, {test::random_tensor({count}, 1)}, device);
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({33}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return relu(there); });
    CHECK(test::count_different_bits(output, relu(input)) == 0);
  });
}

TEST_CASE("Edges: NaN and infinities") {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor input =
      Tensor::from<float>(std::vector<float>{std::nanf(""), infinity, -infinity}, {3});
  const Tensor output = relu(input);
  CHECK(std::isnan(output.data<const float>()[0]));
  CHECK(output.data<const float>()[1] == infinity);
  CHECK(output.data<const float>()[2] == 0);
}

}  // namespace
}  // namespace mrcnn
