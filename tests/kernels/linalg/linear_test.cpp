#include "kernels/linalg/linear.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tests/kernels/conv/conv_test_tools.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::deviation;
using test::random_tensor;
using test::to_f64;

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor input = random_tensor({3, 4}, 1);
  const Tensor weight = random_tensor({5, 4}, 2);
  CHECK_THROWS_WITH_AS(linear(random_tensor({3, 5}, 1), weight, {}),
                       doctest::Contains("[linear] input must be [R,4]"), ShapeError);
  CHECK_THROWS_AS(linear(random_tensor({3, 2, 2}, 1), weight, {}), ShapeError);
  CHECK_THROWS_WITH_AS(linear(input, random_tensor({5, 2, 2}, 2), {}), doctest::Contains("[O,I]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(linear(input, weight, random_tensor({4}, 2)), doctest::Contains("5 outputs"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(linear(to_f64(input), weight, {}),
                       doctest::Contains("weight is f32 but input is"), DTypeError);
  CHECK_THROWS_AS(linear(input, weight, random_tensor<double>({5}, 2)), DTypeError);
  CHECK_THROWS_AS(PreparedLinear(to_f64(weight), {}), DTypeError);
  CHECK_THROWS_WITH_AS(PreparedLinear(weight, {}).run_into(input, Tensor::empty({3, 4})),
                       doctest::Contains("output must be f32 [3,5]"), ShapeError);
}

TEST_CASE("The plain f64 loop gives a product computed by hand") {
  const Tensor input = Tensor::from<double>(std::vector<double>{1, 2, 3, 4}, {2, 2});
  const Tensor weight = Tensor::from<double>(std::vector<double>{5, 6, -7, -8}, {2, 2});
  const Tensor bias = Tensor::from<double>(std::vector<double>{0.5, 1}, {2});
  const std::vector<double> expected{17.5, -22, 39.5, -52};
  const Tensor output = linear(input, weight, bias);
  CHECK(std::vector<double>(output.span<double>().begin(), output.span<double>().end()) ==
        expected);
  CHECK(linear(input, weight, bias, {.relu = true}).data<const double>()[1] == 0);
}

TEST_CASE("The f32 product matches the f64 loop for any number of rows") {
  for (const bool relu : {false, true}) {
    const Tensor weight = random_tensor({37, 50}, 1), bias = random_tensor({37}, 2);
    const PreparedLinear prepared(weight, bias, {.relu = relu});
    for (const int64_t rows : {1, 2, 3, 31, 64, 255, 256, 257, 1000}) {
      CAPTURE(rows);
      const Tensor input = random_tensor({rows, 50}, 3);
      const Tensor expected = linear(to_f64(input), to_f64(weight), to_f64(bias), {.relu = relu});
      CHECK(deviation(prepared.run(input), expected).max < 1e-5);
    }
    CHECK(prepared.flops(3) == 2 * 3 * 37 * 50);
  }
  const Tensor weight = random_tensor({20, 300}, 1), input = random_tensor({7, 300}, 2);
  CHECK(deviation(linear(input, weight, {}), linear(to_f64(input), to_f64(weight), {})).max < 1e-5);
}

TEST_CASE("Edges: no rows") {
  CHECK(linear(Tensor::empty({0, 4}), random_tensor({5, 4}, 2), {}).shape() == Shape{0, 5});
}

TEST_CASE("The number of threads does not change a bit, however long the sums") {
  const Tensor input = random_tensor({100, 6000}, 1);
  const Tensor weight = random_tensor({96, 6000}, 2);
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    results.push_back(PreparedLinear(weight, {}, {.relu = true}).run(input));
  }
  set_num_threads(before);
  for (const Tensor& result : results) {
    CHECK(std::memcmp(result.raw(), results[0].raw(), static_cast<size_t>(result.bytes())) == 0);
  }
}

TEST_CASE("CUDA matches the CPU") {
  test::on_cuda([](Device device) {
    const Tensor weight = random_tensor({33, 40}, 2), bias = random_tensor({33}, 3);
    for (const int64_t rows : {0, 1, 31, 65}) {
      const Tensor input = random_tensor({rows, 40}, 1);
      const Tensor output = linear(copy_to(input, device), copy_to(weight, device),
                                   copy_to(bias, device), {.relu = true});
      REQUIRE(output.shape() == Shape{rows, 33});
      if (rows == 0) continue;
      const Tensor expected = linear(to_f64(input), to_f64(weight), to_f64(bias), {.relu = true});
      CHECK(deviation(copy_to(output, Device{}), expected).max < 1e-5);

      const Tensor rounded = linear(copy_to(cast(input, DType::kBF16), device),
                                    copy_to(cast(weight, DType::kBF16), device), {});
      CHECK(rounded.dtype() == DType::kBF16);
      const Tensor exact = linear(test::rounded_to_bf16(input), test::rounded_to_bf16(weight), {});
      CHECK(test::count_far(rounded, exact, test::kBf16Rounding, 1e-5F) == 0);
    }
    const Tensor elsewhere = random_tensor({2, 40}, 1);
    CHECK_THROWS_WITH_AS(PreparedLinear(copy_to(weight, device), {}).run(elsewhere),
                         doctest::Contains("the weight is on cuda:0"), DeviceError);
  });
}

}  // namespace
}  // namespace mrcnn
