#include "kernels/shape/upsample_nearest_add.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
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

TEST_CASE("Rejects maps that do not belong together") {
  const Tensor coarse = random_tensor({1, 2, 3, 4}, 1);
  CHECK_THROWS_WITH_AS(upsample_nearest_add(coarse, random_tensor({1, 4, 6, 5}, 2)),
                       doctest::Contains("equal N and C"), ShapeError);
  CHECK_THROWS_AS(upsample_nearest_add(coarse, random_tensor({2, 4, 6, 4}, 2)), ShapeError);
  CHECK_THROWS_AS(upsample_nearest_add(coarse, random_tensor({4, 6, 4}, 2)), ShapeError);
  CHECK_THROWS_AS(upsample_nearest_add(Tensor{}, coarse), ShapeError);
  CHECK_THROWS_WITH_AS(upsample_nearest_add(Tensor::empty({1, 0, 3, 4}), coarse),
                       doctest::Contains("empty map"), ShapeError);
  CHECK_THROWS_WITH_AS(upsample_nearest_add(coarse, random_tensor<double>({1, 4, 6, 4}, 2)),
                       doctest::Contains("differ in type"), DTypeError);
  const Tensor integers = Tensor::zeros({1, 2, 2, 1}, DType::kI32);
  CHECK_THROWS_AS(upsample_nearest_add(integers, integers), DTypeError);
}

TEST_CASE("Matches golden: torch's nearest interpolation, also to odd and smaller sizes") {
  const auto golden = test::read_text_golden(MRCNN_TEST_DATA "/golden/image_ops/maps.txt");
  for (const std::string size : {"6x10", "5x9", "7x13", "2x3"}) {
    CAPTURE(size);
    const Tensor expected = golden.at("upsample." + size + ".output");
    const Tensor output =
        upsample_nearest_add(golden.at("upsample.coarse"), golden.at("upsample." + size + ".fine"));
    REQUIRE(output.shape() == expected.shape());
    for (int64_t i = 0; i < output.numel(); ++i) {
      CHECK(output.data<const float>()[i] == expected.data<const float>()[i]);
    }
  }
}

// The definition, with the f32 rounding of the scale that decides ties.
int64_t source(int64_t i, int64_t input, int64_t output) {
  const float scale = static_cast<float>(input) / static_cast<float>(output);
  return std::min(static_cast<int64_t>(std::floor(static_cast<float>(i) * scale)), input - 1);
}

template <typename T>
void check_against_definition(const Shape& coarse_shape, const Shape& fine_shape) {
  CAPTURE(fine_shape.to_string());
  const Tensor coarse = random_tensor<T>(coarse_shape, 1);
  const Tensor fine = random_tensor<T>(fine_shape, 2);
  const Tensor output = upsample_nearest_add(coarse, fine);
  REQUIRE(output.shape() == fine_shape);
  const int64_t height = fine_shape[1], width = fine_shape[2], channels = fine_shape[3];
  int64_t wrong = 0;
  for (int64_t i = 0; i < output.numel(); ++i) {
    const int64_t c = i % channels, x = i / channels % width;
    const int64_t y = i / channels / width % height, n = i / channels / width / height;
    const int64_t from =
        (n * coarse_shape[1] + source(y, coarse_shape[1], height)) * coarse_shape[2] +
        source(x, coarse_shape[2], width);
    const T expected = fine.data<const T>()[i] + coarse.data<const T>()[from * channels + c];
    if (output.data<const T>()[i] != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Matches the definition, f32 and f64, odd sizes and channel counts") {
  for (const int64_t channels : {1, 15, 33, 256}) {
    check_against_definition<float>({2, 13, 17, channels}, {2, 25, 34, channels});
    check_against_definition<double>({2, 13, 17, channels}, {2, 25, 34, channels});
  }
  check_against_definition<float>({1, 25, 42, 3}, {1, 50, 84, 3});
  check_against_definition<float>({1, 1, 1, 2}, {1, 100, 3, 2});
}

Tensor enlarge(const std::vector<Tensor>& in) { return upsample_nearest_add(in[0], in[1]); }

TEST_CASE("Gradients match finite differences, any ratio of the sizes") {
  const auto check = [](const Shape& coarse, const Shape& fine) {
    CAPTURE(fine.to_string());
    test::check_gradients(enlarge,
                          {random_tensor<double>(coarse, 1), random_tensor<double>(fine, 2)});
  };
  check({2, 3, 2, 3}, {2, 6, 4, 3});
  check({1, 3, 4, 1}, {1, 5, 7, 1});
  check({1, 5, 4, 2}, {1, 2, 3, 2});  // some coarse pixels are not taken
  check({1, 1, 1, 2}, {1, 7, 3, 2});
  check({1, 4, 4, 1}, {1, 4, 4, 1});
}

TEST_CASE("Every fine pixel counts once in the gradient of the coarse map, for many sizes") {
  for (int64_t coarse = 1; coarse < 40; ++coarse) {
    for (int64_t fine = 1; fine < 90; fine += 3) {
      const Tensor ones = Tensor::zeros({1, fine, 1, 1});
      fill_(ones, 1);
      const Tensor counts = test::op_gradients(
          enlarge, {Tensor::zeros({1, coarse, 1, 1}), Tensor::zeros({1, fine, 1, 1})}, ones)[0];
      std::vector<float> expected(static_cast<size_t>(coarse), 0.0F);
      for (int64_t i = 0; i < fine; ++i) {
        expected[static_cast<size_t>(source(i, coarse, fine))] += 1;
      }
      const auto actual = counts.span<const float>();
      REQUIRE(std::equal(actual.begin(), actual.end(), expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("f32 gradients are near f64's, odd sizes and channel counts") {
  for (const int64_t channels : {1, 15, 33, 256}) {
    const Tensor coarse = random_tensor({2, 13, 17, channels}, 1);
    const Tensor fine = random_tensor({2, 25, 34, channels}, 2);
    const Tensor grad = random_tensor(fine.shape(), 3);
    const std::vector<Tensor> narrow = test::op_gradients(enlarge, {coarse, fine}, grad);
    const std::vector<Tensor> wide = test::op_gradients(
        enlarge, {cast(coarse, DType::kF64), cast(fine, DType::kF64)}, cast(grad, DType::kF64));
    CHECK(test::count_far(narrow[0], cast(wide[0], DType::kF32), 1e-6F, 5e-7F) == 0);
    CHECK(test::count_different_bits(narrow[1], grad) == 0);
  }
}

void check_cuda(const Shape& coarse_shape, const Shape& fine_shape, Device device) {
  CAPTURE(fine_shape.to_string());
  const Tensor coarse = random_tensor(coarse_shape, 1), fine = random_tensor(fine_shape, 2);
  const Tensor output = upsample_nearest_add(copy_to(coarse, device), copy_to(fine, device));
  CHECK(test::count_different_bits(output, upsample_nearest_add(coarse, fine)) == 0);
  const Tensor rounded = upsample_nearest_add(cast(copy_to(coarse, device), DType::kBF16),
                                              cast(copy_to(fine, device), DType::kBF16));
  const Tensor expected =
      upsample_nearest_add(test::rounded_to_bf16(coarse), test::rounded_to_bf16(fine));
  CHECK(test::count_different_bits(rounded, cast(expected, DType::kBF16)) == 0);
}

TEST_CASE("CUDA matches the CPU, odd sizes and channel counts") {
  test::on_cuda([](Device device) {
    for (const int64_t channels : {1, 4, 8, 31, 32, 33}) {
      check_cuda({2, 2, 3, channels}, {2, 3, 6, channels}, device);
    }
    check_cuda({1, 13, 17, 1}, {1, 25, 34, 1}, device);
    check_cuda({1, 1, 1, 2}, {1, 100, 3, 2}, device);
    check_cuda({1, 5, 4, 8}, {1, 2, 3, 8}, device);
    check_cuda({0, 2, 2, 3}, {0, 4, 4, 3}, device);
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    const auto check = [&](const Shape& coarse, const Shape& fine) {
      test::check_cuda_gradients(enlarge, {random_tensor(coarse, 1), random_tensor(fine, 2)},
                                 device);
    };
    for (const int64_t channels : {1, 8, 33}) check({2, 2, 3, channels}, {2, 3, 6, channels});
    check({1, 13, 17, 1}, {1, 25, 34, 1});
    check({1, 1, 1, 2}, {1, 40, 3, 2});
    check({1, 5, 4, 8}, {1, 2, 3, 8});
    check({1, 2, 2, 3}, {1, 0, 4, 3});
    check({0, 2, 2, 3}, {0, 4, 4, 3});
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({1, 3, 4, 4}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output =
        test::replayed(device, [&] { return upsample_nearest_add(there, there); });
    CHECK(test::count_different_bits(output, upsample_nearest_add(input, input)) == 0);
  });
}

TEST_CASE("Edges: nothing to do") {
  CHECK(upsample_nearest_add(Tensor::empty({0, 2, 2, 3}), Tensor::empty({0, 4, 4, 3})).shape() ==
        Shape{0, 4, 4, 3});
  CHECK(upsample_nearest_add(random_tensor({1, 2, 2, 3}, 1), Tensor::empty({1, 0, 4, 3})).numel() ==
        0);
}

}  // namespace
}  // namespace mrcnn
