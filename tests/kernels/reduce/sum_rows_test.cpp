#include "kernels/reduce/sum_rows.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// In f64, row by row.
Tensor plain_sums(const Tensor& input) {
  const Tensor wide = cast(input, DType::kF64);
  const Tensor sums = Tensor::zeros({input.size(1)}, DType::kF64);
  for (int64_t i = 0; i < wide.numel(); ++i) {
    sums.data<double>()[i % input.size(1)] += wide.data<const double>()[i];
  }
  return sums;
}

TEST_CASE("Rejects what is no matrix of floats") {
  CHECK_THROWS_WITH_AS(sum_rows(random_tensor({2, 3, 4}, 1)), doctest::Contains("[R,C]"),
                       ShapeError);
  CHECK_THROWS_AS(sum_rows(Tensor{}), ShapeError);
  CHECK_THROWS_AS(sum_rows(Tensor::zeros({2, 3}, DType::kI32)), DTypeError);
}

TEST_CASE("Adds up in f64 whatever the number of rows") {
  for (const int64_t rows : {1, 2, 127, 128, 129, 1000, 40000}) {
    CAPTURE(rows);
    const Tensor input = random_tensor({rows, 7}, 1);
    // One rounding at the end: sums in f64 differ by less than half a unit of f32.
    CHECK(test::count_far(sum_rows(input), cast(plain_sums(input), DType::kF32), 1.2e-7F) == 0);
    const Tensor wide = random_tensor<double>({rows, 3}, 2);
    const Tensor sums = sum_rows(wide), expected = plain_sums(wide);
    for (int64_t c = 0; c < 3; ++c) {
      CHECK(sums.data<const double>()[c] ==
            doctest::Approx(expected.data<const double>()[c]).epsilon(1e-12));
    }
  }
}

TEST_CASE("The number of threads does not change a bit") {
  const Tensor input = random_tensor({5000, 33}, 1);
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    results.push_back(sum_rows(input));
  }
  set_num_threads(before);
  for (const Tensor& result : results) CHECK(test::count_different_bits(result, results[0]) == 0);
}

TEST_CASE("Edges: no rows, no columns, NaN") {
  const Tensor none = sum_rows(Tensor::empty({0, 3}));
  for (const float sum : none.span<const float>()) CHECK(sum == 0.0F);
  CHECK(sum_rows(Tensor::empty({3, 0})).shape() == Shape{0});
  const Tensor input = Tensor::from<float>(std::vector<float>{1, NAN, 2, 3}, {2, 2});
  const Tensor sums = sum_rows(input);
  CHECK(sums.data<const float>()[0] == 3.0F);
  CHECK(std::isnan(sums.data<const float>()[1]));
}

TEST_CASE("CUDA matches the CPU at the edges of blocks of rows and columns") {
  test::on_cuda([](Device device) {
    for (const Shape& shape :
         {Shape{0, 5}, Shape{1, 1}, Shape{7, 31}, Shape{8, 33}, Shape{129, 65}, Shape{300, 3}}) {
      CAPTURE(shape.to_string());
      const Tensor input = random_tensor(shape, 1);
      // Sums of up to 300 numbers of order 1 in f32, in another order.
      CHECK(test::count_far(sum_rows(copy_to(input, device)), sum_rows(input), 1e-6F, 1e-5F) == 0);
      const Tensor bf16 = sum_rows(copy_to(cast(input, DType::kBF16), device));
      REQUIRE(bf16.dtype() == DType::kF32);
      CHECK(test::count_far(bf16, sum_rows(test::rounded_to_bf16(input)), 1e-6F, 1e-5F) == 0);
    }
  });
}

}  // namespace
}  // namespace mrcnn
