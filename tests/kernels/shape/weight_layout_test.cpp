#include "kernels/shape/weight_layout.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/error.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

template <typename T>
bool same_values(const Tensor& a, const Tensor& b) {
  const auto x = a.span<const T>(), y = b.span<const T>();
  return a.shape() == b.shape() && std::equal(x.begin(), x.end(), y.begin());
}

// Every element's own index, so that a permutation shows where each came from.
template <typename T>
Tensor counting(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, dtype_of<T>());
  T value{};
  for (T& element : tensor.span<T>()) element = value++;
  return tensor;
}

TEST_CASE("Rejects weights of another rank or size") {
  CHECK_THROWS_WITH_AS(oihw_to_ohwi(random_tensor({2, 3}, 1)), doctest::Contains("[O, I, KH, KW]"),
                       ShapeError);
  CHECK_THROWS_AS(ohwi_to_oihw(Tensor{}), ShapeError);
  CHECK_THROWS_AS(iohw_to_ohwi(random_tensor({2}, 1)), ShapeError);
  CHECK_THROWS_AS(ohwi_to_iohw(random_tensor({2}, 1)), ShapeError);
  const FlattenedMap map{.channels = 4, .height = 7, .width = 7};
  CHECK_THROWS_WITH_AS(linear_chw_to_hwc(random_tensor({2, 195}, 1), map),
                       doctest::Contains("195 columns"), ShapeError);
  CHECK_THROWS_AS(linear_hwc_to_chw(random_tensor({196}, 1), map), ShapeError);
}

TEST_CASE("Convolution weights: every element lands where its index says") {
  const int64_t o = 3, i = 5, kh = 2, kw = 4;
  const Tensor file = counting<int32_t>({o, i, kh, kw});
  const Tensor op = oihw_to_ohwi(file);
  REQUIRE(op.shape() == Shape{o, kh, kw, i});
  for (int64_t n = 0; n < op.numel(); ++n) {
    const int64_t in = n % i, x = n / i % kw, y = n / i / kw % kh, out = n / i / kw / kh;
    CHECK(op.data<const int32_t>()[n] == ((out * i + in) * kh + y) * kw + x);
  }
}

TEST_CASE("Transposed convolution weights: every element lands where its index says") {
  const int64_t o = 3, i = 5, kh = 2, kw = 4;
  const Tensor op = iohw_to_ohwi(counting<int32_t>({i, o, kh, kw}));
  REQUIRE(op.shape() == Shape{o, kh, kw, i});
  for (int64_t n = 0; n < op.numel(); ++n) {
    const int64_t in = n % i, x = n / i % kw, y = n / i / kw % kh, out = n / i / kw / kh;
    CHECK(op.data<const int32_t>()[n] == ((in * o + out) * kh + y) * kw + x);
  }
}

TEST_CASE("Linear weights after a flattened map: every element lands where its index says") {
  const FlattenedMap map{.channels = 5, .height = 2, .width = 3};
  const Tensor op = linear_chw_to_hwc(counting<int32_t>({4, 30}), map);
  REQUIRE(op.shape() == Shape{4, 30});
  for (int64_t n = 0; n < op.numel(); ++n) {
    const int64_t c = n % 5, x = n / 5 % 3, y = n / 15 % 2, out = n / 30;
    CHECK(op.data<const int32_t>()[n] == out * 30 + (c * 2 + y) * 3 + x);
  }
}

template <typename T>
void check_round_trips() {
  const Tensor weight = random_tensor<T>({17, 33, 3, 3}, 2, 0, 100);
  CHECK(same_values<T>(ohwi_to_oihw(oihw_to_ohwi(weight)), weight));
  CHECK(same_values<T>(ohwi_to_iohw(iohw_to_ohwi(weight)), weight));
  const FlattenedMap map{.channels = 33, .height = 3, .width = 3};
  const Tensor linear = weight.reshape({17, 297});
  CHECK(same_values<T>(linear_hwc_to_chw(linear_chw_to_hwc(linear, map), map), linear));
}

TEST_CASE("The inverses undo them for every element size, across tile edges") {
  check_round_trips<uint8_t>();
  check_round_trips<float>();
  check_round_trips<double>();
  const Tensor weight = Tensor::from<BFloat16>(
      std::vector<BFloat16>{BFloat16(1), BFloat16(2), BFloat16(3), BFloat16(4)}, {1, 2, 2, 1});
  const Tensor back = ohwi_to_oihw(oihw_to_ohwi(weight));
  CHECK(same_values<BFloat16>(back, weight));
  CHECK(oihw_to_ohwi(weight).data<const BFloat16>()[1] == BFloat16(3));
}

TEST_CASE("Edges: empty and single weights") {
  CHECK(oihw_to_ohwi(Tensor::empty({0, 4, 3, 3})).shape() == Shape{0, 3, 3, 4});
  CHECK(iohw_to_ohwi(Tensor::empty({4, 0, 2, 2})).shape() == Shape{0, 2, 2, 4});
  CHECK(oihw_to_ohwi(random_tensor({1, 1, 1, 1}, 3)).numel() == 1);
  CHECK(
      linear_chw_to_hwc(Tensor::empty({2, 0}), {.channels = 0, .height = 7, .width = 7}).shape() ==
      Shape{2, 0});
}

}  // namespace
}  // namespace mrcnn
