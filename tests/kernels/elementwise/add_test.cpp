#include "kernels/elementwise/add.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "tests/support/random_tensor.h"

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
