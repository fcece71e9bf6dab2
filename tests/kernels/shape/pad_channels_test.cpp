#include "kernels/shape/pad_channels.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "kernels/conv/conv2d.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

TEST_CASE("Rejects a tensor without channels, fewer channels and other types") {
  CHECK_THROWS_WITH_AS(pad_channels(Tensor{}, 4), doctest::Contains("an axis of channels"),
                       ShapeError);
  CHECK_THROWS_AS(pad_channels(Tensor::zeros(Shape{}), 4), ShapeError);
  CHECK_THROWS_WITH_AS(pad_channels(random_tensor({2, 3}, 1), 2),
                       doctest::Contains("3 channels, more than the 2 wanted"), ShapeError);
  CHECK_THROWS_AS(pad_channels(Tensor::zeros({2, 3}, DType::kI32), 4), DTypeError);
}

TEST_CASE("Puts zeros behind the channels") {
  const Tensor input = Tensor::from<float>(std::vector<float>{1, 2, 3, 4}, {2, 1, 2});
  CHECK(test::count_different_bits(
            pad_channels(input, 4),
            Tensor::from<float>(std::vector<float>{1, 2, 0, 0, 3, 4, 0, 0}, {2, 1, 4})) == 0);
  CHECK(pad_channels(input, 2).data<const float>() == input.data<const float>());
}

TEST_CASE("A convolution of a padded batch with the padded weight is the same") {
  const Tensor batch = random_tensor<double>({1, 9, 8, 3}, 1);
  const Tensor weight = random_tensor<double>({5, 7, 7, 3}, 2);
  const Conv2dParams params{.stride = {2, 2}, .padding = {3, 3}};
  CHECK(test::count_different_bits(
            conv2d(pad_channels(batch, 4), pad_channels(weight, 4), Tensor{}, Tensor{}, params),
            conv2d(batch, weight, Tensor{}, Tensor{}, params)) == 0);
}

TEST_CASE("Gradients match finite differences") {
  test::check_gradients([](const std::vector<Tensor>& in) { return pad_channels(in[0], 8); },
                        {random_tensor<double>({2, 3, 1, 3}, 3)});
}

TEST_CASE("The gradient of channels that were not added passes through") {
  test::check_gradients(
      [](const std::vector<Tensor>& in) { return pad_channels(pad_channels(in[0], 3), 4); },
      {random_tensor<double>({5, 3}, 4)});
}

TEST_CASE("CUDA gives the CPU's bits") {
  test::on_cuda([](Device device) {
    for (const int64_t rows : {1, 31, 33, 65}) {
      CAPTURE(rows);
      const Tensor input = random_tensor({rows, 3}, 5);
      for (const int64_t channels : {4, 8}) {
        CHECK(test::count_different_bits(pad_channels(copy_to(input, device), channels),
                                         pad_channels(input, channels)) == 0);
        const Tensor narrow = cast(copy_to(input, device), DType::kBF16);
        CHECK(test::count_different_bits(cast(pad_channels(narrow, channels), DType::kF32),
                                         pad_channels(test::rounded_to_bf16(input), channels)) ==
              0);
      }
    }
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    test::check_cuda_gradients([](const std::vector<Tensor>& in) { return pad_channels(in[0], 8); },
                               {random_tensor({5, 7, 1, 3}, 6)}, device, {.bf16_relative = 0});
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = random_tensor({3, 3}, 7);
    const Tensor input_there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return pad_channels(input_there, 4); });
    CHECK(test::count_different_bits(output, pad_channels(input, 4)) == 0);
  });
}

TEST_CASE("Edges: no rows, no channels") {
  CHECK(pad_channels(Tensor::zeros({0, 3}), 4).shape() == Shape{0, 4});
  CHECK(test::count_different_bits(pad_channels(Tensor::zeros({2, 0}), 3), Tensor::zeros({2, 3})) ==
        0);
}

}  // namespace
}  // namespace mrcnn
