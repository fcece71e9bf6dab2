#include "kernels/elementwise/add.h"

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

namespace mrcnn {
namespace {

using test::random_tensor;

template <typename T>
void check_against_definition(int64_t count) {
  const Tensor a = random_tensor<T>({count}, 1), b = random_tensor<T>({count}, 2);
  const Tensor sum = add(a, b), rectified = add(a, b, {.relu = true});
  int64_t wrong = 0;
  for (int64_t i = 0; i < count; ++i) {
    const T expected = a.data<const T>()[i] + b.data<const T>()[i];
    if (sum.data<const T>()[i] != expected) ++wrong;
    if (rectified.data<const T>()[i] != std::max(T(0), expected)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Rejects tensors that differ, and integers") {
  const Tensor a = random_tensor({2, 3}, 1);
  CHECK_THROWS_WITH_AS(add(a, random_tensor({3, 2}, 1)),
                       doctest::Contains("differ in shape: [2,3] f32 cpu, [3,2] f32 cpu"),
                       ShapeError);
  CHECK_THROWS_AS(add(a, Tensor{}), ShapeError);
  CHECK_THROWS_WITH_AS(add(a, random_tensor<double>({2, 3}, 1)),
                       doctest::Contains("differ in type"), DTypeError);
  const Tensor integers = Tensor::zeros({2}, DType::kI64);
  CHECK_THROWS_AS(add(integers, integers), DTypeError);
}

TEST_CASE("Matches the definition at vector and chunk edges") {
  for (const int64_t count : {0, 1, 31, 32, 33, 257, 70001}) {
    check_against_definition<float>(count);
    check_against_definition<double>(count);
  }
}

TEST_CASE("Gradients match finite differences") {
  for (const bool relu : {false, true}) {
    const auto op = [relu](const std::vector<Tensor>& in) {
      return add(in[0], in[1], {.relu = relu});
    };
    test::check_gradients(op, {random_tensor<double>({3, 7}, 1), random_tensor<double>({3, 7}, 2)});
    const auto twice = [relu](const std::vector<Tensor>& in) {
      return add(in[0], in[0], {.relu = relu});
    };
    test::check_gradients(twice, {random_tensor<double>({3, 7}, 1)});
  }
}

TEST_CASE("A tensor that feeds two sums gets both gradients, each the right one") {
  // Both inputs of a sum get one gradient; adding to the one must leave the other alone.
  const auto op = [](const std::vector<Tensor>& in) { return add(add(in[0], in[1]), in[0]); };
  const Tensor grad = random_tensor({33}, 3);
  const std::vector<Tensor> gradients =
      test::op_gradients(op, {random_tensor({33}, 1), random_tensor({33}, 2)}, grad);
  CHECK(test::count_different_bits(gradients[0], add(grad, grad)) == 0);
  CHECK(test::count_different_bits(gradients[1], grad) == 0);
}

TEST_CASE("CUDA matches the CPU at pack, warp and block edges") {
  test::on_cuda([](Device device) {
    for (const int64_t count : {0, 1, 3, 31, 32, 33, 257, 2049}) {
      for (const bool relu : {false, true}) {
        CAPTURE(count);
        const Tensor a = random_tensor({count}, 1), b = random_tensor({count}, 2);
        const Tensor output = add(copy_to(a, device), copy_to(b, device), {.relu = relu});
        CHECK(test::count_different_bits(output, add(a, b, {.relu = relu})) == 0);
        const Tensor rounded = add(cast(copy_to(a, device), DType::kBF16),
                                   cast(copy_to(b, device), DType::kBF16), {.relu = relu});
        const Tensor expected =
            add(test::rounded_to_bf16(a), test::rounded_to_bf16(b), {.relu = relu});
        CHECK(test::count_different_bits(rounded, cast(expected, DType::kBF16)) == 0);
      }
    }
  });
}

TEST_CASE("CUDA takes slices that start between packs, NaN, and one tensor twice") {
  test::on_cuda([](Device device) {
    const Tensor a = random_tensor({3, 67}, 3), b = random_tensor({1, 67}, 4);
    const Tensor output = add(copy_to(a, device).slice(1, 2), copy_to(b, device));
    CHECK(test::count_different_bits(output, add(a.slice(1, 2), b)) == 0);
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor edge = Tensor::from<float>(std::vector<float>{infinity, -infinity}, {2});
    const Tensor other = Tensor::from<float>(std::vector<float>{-infinity, -infinity}, {2});
    const Tensor sum = add(copy_to(edge, device), copy_to(other, device), {.relu = true});
    CHECK(test::count_different_bits(sum, add(edge, other, {.relu = true})) == 0);
    const Tensor once = copy_to(b, device);
    CHECK(test::count_different_bits(add(once, once), add(b, b)) == 0);
    CHECK_THROWS_WITH_AS(add(once, b), doctest::Contains("different devices"), DeviceError);
  });
}

TEST_CASE("CUDA gradients match the CPU's") {
  test::on_cuda([](Device device) {
    for (const bool relu : {false, true}) {
      const auto op = [relu](const std::vector<Tensor>& in) {
        return add(in[0], in[1], {.relu = relu});
      };
      for (const int64_t count : {0, 1, 33, 257}) {
        test::check_cuda_gradients(op, {random_tensor({count}, 1), random_tensor({count}, 2)},
                                   device);
      }
    }
  });
}

TEST_CASE("CUDA work can be captured into a graph") {
  test::on_cuda([](Device device) {
    const Tensor input = test::random_tensor({33}, 5);
    const Tensor there = copy_to(input, device);
    const Tensor output = test::replayed(device, [&] { return add(there, there); });
    CHECK(test::count_different_bits(output, add(input, input)) == 0);
  });
}

TEST_CASE("Edges: NaN passes the ReLU, a tensor added to itself") {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor a = Tensor::from<float>(std::vector<float>{infinity, 2, -3}, {3});
  const Tensor b = Tensor::from<float>(std::vector<float>{-infinity, -5, 1}, {3});
  const Tensor output = add(a, b, {.relu = true});
  CHECK(std::isnan(output.data<const float>()[0]));
  CHECK(output.data<const float>()[1] == 0);
  CHECK(add(a, a).data<const float>()[1] == 4);
}

}  // namespace
}  // namespace mrcnn
