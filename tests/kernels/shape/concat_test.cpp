#include "kernels/shape/concat.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_gradients.h"
#include "tests/support/random_tensor.h"
#include "tests/support/replay.h"

namespace mrcnn {
namespace {

using test::random_tensor;

TEST_CASE("Rejects nothing, undefined tensors, other shapes and other types") {
  CHECK_THROWS_WITH_AS(concat(std::vector<Tensor>{}), doctest::Contains("at least one"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(concat({Tensor{}}), doctest::Contains("undefined"), ShapeError);
  CHECK_THROWS_AS(concat({Tensor::zeros({})}), ShapeError);
  const Tensor input = random_tensor({2, 4}, 1);
  CHECK_THROWS_WITH_AS(concat({input, random_tensor({2, 5}, 1)}),
                       doctest::Contains("beyond axis 0: [2,4] f32 cpu, [2,5] f32 cpu"),
                       ShapeError);
  CHECK_THROWS_AS(concat({input, random_tensor({2, 4, 1}, 1)}), ShapeError);
  CHECK_THROWS_WITH_AS(concat({input, random_tensor<double>({2, 4}, 1)}),
                       doctest::Contains("differ in type"), DTypeError);
}

TEST_CASE("Rows follow each other in the order of the inputs") {
  const Tensor a = random_tensor({2, 3}, 1);
  const Tensor b = random_tensor({0, 3}, 2);
  const Tensor c = random_tensor({4, 3}, 3);
  const Tensor joined = concat({a, b, c});
  REQUIRE(joined.shape() == Shape{6, 3});
  for (int64_t i = 0; i < 18; ++i) {
    const float expected = i < 6 ? a.data<const float>()[i] : c.data<const float>()[i - 6];
    CHECK(joined.data<const float>()[i] == expected);
  }
}

Tensor join(const std::vector<Tensor>& in) { return concat(in); }

TEST_CASE("Gradients match finite differences") {
  test::check_gradients(join, {random_tensor<double>({2, 3}, 1), random_tensor<double>({0, 3}, 2),
                               random_tensor<double>({4, 3}, 3)});
  const auto twice = [](const std::vector<Tensor>& in) { return concat({in[0], in[1], in[0]}); };
  test::check_gradients(twice,
                        {random_tensor<double>({2, 3}, 1), random_tensor<double>({1, 3}, 2)});
}

TEST_CASE("CUDA joins as the CPU does, on one device") {
  test::on_cuda([](Device device) {
    const Tensor a = random_tensor({2, 3}, 1), b = random_tensor({0, 3}, 2);
    const Tensor c = random_tensor({4, 3}, 3);
    const Tensor joined = concat({copy_to(a, device), copy_to(b, device), copy_to(c, device)});
    CHECK(test::count_different_bits(joined, concat({a, b, c})) == 0);
    const Tensor labels = copy_to(Tensor::from<int32_t>(std::vector<int32_t>{1, -7}, {2}), device);
    CHECK(concat({labels}).raw() != labels.raw());
    CHECK(test::count_different_bits(concat({labels}), copy_to(labels, Device{})) == 0);
    CHECK_THROWS_WITH_AS(concat({a, copy_to(c, device)}), doctest::Contains("different devices"),
                         DeviceError);
  });
}

TEST_CASE("CUDA gradients match the CPU's, and start where kernels may read packs") {
  test::on_cuda([](Device device) {
    test::check_cuda_gradients(
        join, {random_tensor({3}, 1), random_tensor({0}, 2), random_tensor({8}, 3)}, device);
    Tensor second = copy_to(random_tensor({8}, 3), device);
    second.require_grad();
    const Tensor joined = concat({copy_to(random_tensor({3}, 1), device), second});
    backward_from(joined, copy_to(random_tensor({11}, 4), device));
    CHECK(std::bit_cast<uintptr_t>(second.grad().raw()) % 16 == 0);
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({3, 5}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return concat({there, there}); });
    CHECK(test::count_different_bits(output, concat({input, input})) == 0);
  });
}

TEST_CASE("Edges: one input is copied, i64 stays exact") {
  const Tensor labels = Tensor::from<int64_t>(std::vector<int64_t>{1, int64_t{1} << 62}, {2});
  const Tensor joined = concat({labels});
  CHECK(joined.raw() != labels.raw());
  CHECK(joined.data<const int64_t>()[1] == int64_t{1} << 62);
  CHECK(concat({Tensor::empty({0, 5})}).shape() == Shape{0, 5});
}

}  // namespace
}  // namespace mrcnn
