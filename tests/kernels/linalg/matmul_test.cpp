#include "kernels/linalg/matmul.h"

#include <doctest/doctest.h>

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

struct Case {
  int64_t rows, depth, columns;
};

const std::vector<MatmulParams> kStorages{{},
                                          {.a_transposed = true},
                                          {.b_transposed = true},
                                          {.a_transposed = true, .b_transposed = true}};

Tensor operand_a(const Case& c, const MatmulParams& params) {
  return random_tensor(params.a_transposed ? Shape{c.depth, c.rows} : Shape{c.rows, c.depth}, 1);
}

Tensor operand_b(const Case& c, const MatmulParams& params) {
  return random_tensor(params.b_transposed ? Shape{c.columns, c.depth} : Shape{c.depth, c.columns},
                       2);
}

TEST_CASE("Rejects shapes and types that do not fit") {
  const Tensor a = random_tensor({3, 4}, 1), b = random_tensor({4, 5}, 2);
  CHECK_THROWS_WITH_AS(matmul(a, random_tensor({5, 4}, 2)),
                       doctest::Contains("[matmul] sums over 4 elements of a but 5 of b"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(matmul(a, b, {.a_transposed = true}), doctest::Contains("transposed"),
                       ShapeError);
  CHECK_THROWS_AS(matmul(random_tensor({3}, 1), b), ShapeError);
  CHECK_THROWS_AS(matmul(a, Tensor{}), ShapeError);
  CHECK_THROWS_WITH_AS(matmul(a, to_f64(b)), doctest::Contains("types differ"), DTypeError);
  CHECK_THROWS_AS(matmul(Tensor::zeros({3, 4}, DType::kI32), Tensor::zeros({4, 5}, DType::kI32)),
                  DTypeError);
  CHECK_THROWS_WITH_AS(matmul_into(a, b, {}, Tensor::empty({3, 4})),
                       doctest::Contains("output must be f32 [3,5]"), ShapeError);
}

TEST_CASE("The f64 loop gives a product computed by hand, however it is stored") {
  const auto matrix = [](const std::vector<double>& values) {
    return Tensor::from<double>(values, {2, 2});
  };
  const Tensor a = matrix({1, 2, 3, 4}), a_transposed = matrix({1, 3, 2, 4});
  const Tensor b = matrix({5, 6, -7, -8}), b_transposed = matrix({5, -7, 6, -8});
  const Tensor expected = matrix({-9, -10, -13, -14});
  for (const MatmulParams& params : kStorages) {
    const Tensor product = matmul(params.a_transposed ? a_transposed : a,
                                  params.b_transposed ? b_transposed : b, params);
    CHECK(test::count_different_bits(product, expected) == 0);
  }
}

TEST_CASE("The f32 product matches the f64 loop at the edges of its blocks") {
  for (const MatmulParams& params : kStorages) {
    for (const Case& c : std::vector<Case>{
             {1, 1, 1}, {3, 70, 5}, {1, 300, 600}, {95, 40, 97}, {257, 65, 513}, {64, 1000, 31}}) {
      CAPTURE(c.rows);
      const Tensor a = operand_a(c, params), b = operand_b(c, params);
      CHECK(deviation(matmul(a, b, params), matmul(to_f64(a), to_f64(b), params)).max < 1e-5);
    }
  }
}

TEST_CASE("The number of threads does not change a bit, however long the sums") {
  for (const MatmulParams& params : kStorages) {
    for (const Case& c : std::vector<Case>{{1, 9000, 1}, {20, 6000, 30}, {300, 2000, 96}}) {
      const Tensor a = operand_a(c, params), b = operand_b(c, params);
      const int before = num_threads();
      std::vector<Tensor> results;
      for (const int threads : {1, 2, 3}) {
        set_num_threads(threads);
        results.push_back(matmul(a, b, params));
        CHECK(num_threads() == threads);
      }
      set_num_threads(before);
      for (const Tensor& result : results) {
        CHECK(test::count_different_bits(result, results[0]) == 0);
      }
    }
  }
}

TEST_CASE("Edges: nothing to add up is zero, no rows are nothing") {
  const Tensor product = matmul(Tensor::empty({3, 0}), Tensor::empty({0, 2}));
  REQUIRE(product.shape() == Shape{3, 2});
  for (const float value : product.span<const float>()) CHECK(value == 0.0F);
  CHECK(matmul(Tensor::empty({0, 4}), random_tensor({4, 5}, 1)).shape() == Shape{0, 5});
}

TEST_CASE("CUDA matches the CPU however the operands are stored") {
  test::on_cuda([](Device device) {
    for (const MatmulParams& params : kStorages) {
      for (const Case& c : std::vector<Case>{{0, 5, 3}, {3, 0, 2}, {1, 40, 33}, {31, 17, 65}}) {
        CAPTURE(c.rows);
        const Tensor a = operand_a(c, params), b = operand_b(c, params);
        const Tensor output = matmul(copy_to(a, device), copy_to(b, device), params);
        CHECK(deviation(copy_to(output, Device{}), matmul(to_f64(a), to_f64(b), params)).max <
              1e-5);
        const Tensor rounded = matmul(copy_to(cast(a, DType::kBF16), device),
                                      copy_to(cast(b, DType::kBF16), device), params);
        REQUIRE(rounded.dtype() == DType::kBF16);
        const Tensor exact = matmul(test::rounded_to_bf16(a), test::rounded_to_bf16(b), params);
        CHECK(test::count_far(rounded, exact, test::kBf16Rounding, 1e-5F) == 0);
      }
    }
  });
}

}  // namespace
}  // namespace mrcnn
