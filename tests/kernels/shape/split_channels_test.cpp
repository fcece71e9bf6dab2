#include "kernels/shape/split_channels.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"
#include "kernels/shape/concat.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

TEST_CASE("Rejects a cut outside the channels") {
  const Tensor input = random_tensor({2, 5}, 1);
  CHECK_THROWS_WITH_AS(split_channels(input, 6), doctest::Contains("cannot take 6 channels"),
                       ShapeError);
  CHECK_THROWS_AS(split_channels(input, -1), ShapeError);
  CHECK_THROWS_AS(split_channels(Tensor{}, 0), ShapeError);
  CHECK_THROWS_AS(split_channels(Tensor::zeros({}), 0), ShapeError);
}

template <typename T>
void check_parts(int64_t channels, int64_t cut) {
  const Tensor input = random_tensor<T>({2, 7, 3, channels}, 2, 0, 99);
  const ChannelParts parts = split_channels(input, cut);
  REQUIRE(parts.first.shape() == Shape{2, 7, 3, cut});
  REQUIRE(parts.second.shape() == Shape{2, 7, 3, channels - cut});
  bool equal = true;
  for (int64_t pixel = 0; pixel < 42; ++pixel) {
    for (int64_t c = 0; c < channels; ++c) {
      const T part = c < cut ? parts.first.data<const T>()[pixel * cut + c]
                             : parts.second.data<const T>()[pixel * (channels - cut) + c - cut];
      equal = equal && part == input.data<const T>()[pixel * channels + c];
    }
  }
  CHECK(equal);
}

TEST_CASE("Every channel lands in its part, any type") {
  for (const int64_t cut : {0, 1, 3, 15}) {
    check_parts<float>(15, cut);
    check_parts<double>(15, cut);
    check_parts<uint8_t>(15, cut);
  }
}

test::Op part(int64_t cut, bool second) {
  return [=](const std::vector<Tensor>& in) {
    const ChannelParts parts = split_channels(in[0], cut);
    return second ? parts.second : parts.first;
  };
}

TEST_CASE("Gradients match finite differences") {
  for (const int64_t cut : {1, 2, 4}) {
    for (const bool second : {false, true}) {
      test::check_gradients(part(cut, second), {random_tensor<double>({2, 3, 5}, 1)});
    }
  }
  const auto both = [](const std::vector<Tensor>& in) {
    const ChannelParts parts = split_channels(in[0], 2);
    return concat({parts.first, parts.second, parts.first});
  };
  test::check_gradients(both, {random_tensor<double>({3, 4}, 1)});
}

TEST_CASE("A part's gradient is zero in the other's channels") {
  const Tensor grad = random_tensor({7, 3}, 2);
  const Tensor whole = test::op_gradients(part(12, true), {random_tensor({7, 15}, 1)}, grad)[0];
  const ChannelParts parts = split_channels(whole, 12);
  CHECK(test::count_different_bits(parts.first, Tensor::zeros({7, 12})) == 0);
  CHECK(test::count_different_bits(parts.second, grad) == 0);
  const Tensor nothing = Tensor::empty({7, 0});
  CHECK(test::count_different_bits(
            test::op_gradients(part(0, false), {random_tensor({7, 5}, 1)}, nothing)[0],
            Tensor::zeros({7, 5})) == 0);
}

// Units of 1 to 16 bytes, by element type and cut.
template <typename T>
void check_cuda(int64_t channels, int64_t cut, Device device) {
  CAPTURE(cut);
  const Tensor input = random_tensor<T>({3, 29, channels}, 3, 0, 99);
  const Tensor there = copy_to(input, device);
  // A slice that starts between the units of the whole.
  for (const int64_t first_row : {0, 1}) {
    const ChannelParts parts = split_channels(there.slice(first_row, 3), cut);
    const ChannelParts expected = split_channels(input.slice(first_row, 3), cut);
    CHECK(test::count_different_bits(parts.first, expected.first) == 0);
    CHECK(test::count_different_bits(parts.second, expected.second) == 0);
  }
}

TEST_CASE("CUDA cuts as the CPU does, any type") {
  test::on_cuda([](Device device) {
    for (const int64_t cut : {0, 1, 3, 15}) {
      check_cuda<float>(15, cut, device);
      check_cuda<uint8_t>(15, cut, device);
    }
    check_cuda<double>(15, 3, device);
    check_cuda<float>(12, 8, device);
    check_cuda<float>(6, 2, device);
    check_cuda<uint8_t>(6, 2, device);
    const Tensor nothing = Tensor::empty({0, 15}, DType::kBF16, device);
    CHECK(split_channels(nothing, 3).second.shape() == Shape{0, 12});
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const int64_t cut : {0, 3, 4, 8, 15}) {
      for (const bool second : {false, true}) {
        test::check_cuda_gradients(part(cut, second), {random_tensor({2, 9, 15}, 1)}, device);
      }
    }
    for (const int64_t cut : {8, 4}) {
      test::check_cuda_gradients(part(cut, true), {random_tensor({17, 16}, 1)}, device);
    }
    test::check_cuda_gradients(part(3, true), {Tensor::empty({0, 15})}, device);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({7, 15}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return split_channels(there, 3).second; });
    CHECK(test::count_different_bits(output, split_channels(input, 3).second) == 0);
  });
}

TEST_CASE("Edges: no pixels, no channels") {
  CHECK(split_channels(Tensor::empty({0, 15}), 3).second.shape() == Shape{0, 12});
  CHECK(split_channels(Tensor::empty({4, 0}), 0).first.shape() == Shape{4, 0});
}

}  // namespace
}  // namespace mrcnn
