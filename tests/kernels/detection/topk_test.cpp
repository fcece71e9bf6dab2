#include "kernels/detection/topk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "kernels/detection/score_order.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// The order of the contract by a stable sort.
std::vector<int32_t> sorted_indices(const float* scores, int64_t count) {
  std::vector<int32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [scores](int32_t a, int32_t b) {
    if (std::isnan(scores[a]) || std::isnan(scores[b])) {
      return !std::isnan(scores[a]) && std::isnan(scores[b]);
    }
    return scores[a] > scores[b];
  });
  return order;
}

void check_against_sort(const Tensor& scores, int64_t k) {
  CAPTURE(k);
  CAPTURE(scores.shape().to_string());
  const TopK best = topk(scores, k);
  const int64_t taken = std::min(k, scores.size(1));
  REQUIRE(best.values.shape() == Shape{scores.size(0), taken});
  REQUIRE(best.indices.shape() == Shape{scores.size(0), taken});
  for (int64_t row = 0; row < scores.size(0); ++row) {
    const float* values = scores.data<const float>() + row * scores.size(1);
    const std::vector<int32_t> order = sorted_indices(values, scores.size(1));
    const int32_t* indices = best.indices.data<const int32_t>() + row * taken;
    CHECK(std::equal(indices, indices + taken, order.begin()));
    for (int64_t i = 0; i < taken; ++i) {
      const float value = best.values.data<const float>()[row * taken + i];
      CHECK((value == values[indices[i]] || std::isnan(values[indices[i]])));
    }
  }
}

TEST_CASE("Rejects inputs that do not fit") {
  CHECK_THROWS_WITH_AS(topk(random_tensor({5}, 1), 2), doctest::Contains("[N,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(topk(random_tensor({1, 5}, 1), -1), doctest::Contains("negative"),
                       ShapeError);
  CHECK_THROWS_AS(topk(random_tensor<double>({1, 5}, 1), 1), DTypeError);
}

TEST_CASE("Matches a stable sort, many sizes") {
  for (const int64_t columns : {1, 2, 31, 32, 33, 1000, 40001}) {
    const Tensor scores = random_tensor({3, columns}, static_cast<uint64_t>(columns), -5, 5);
    for (const int64_t k : {int64_t{1}, columns / 2 + 1, columns, columns + 7, int64_t{1000}}) {
      check_against_sort(scores, k);
    }
  }
}

TEST_CASE("Edges: ties, signed zeros, infinities, NaN, nothing") {
  // Five values only, so that the limit falls among equal ones.
  Tensor ties = random_tensor({2, 5000}, 3, -2.5, 2.5);
  for (float& value : ties.span<float>()) value = std::round(value);
  check_against_sort(ties, 777);
  check_against_sort(Tensor::zeros({1, 5000}), 100);

  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor odd = Tensor::from(
      std::vector<float>{nan, -0.0F, 0.0F, -infinity, infinity, -nan, -0.0F, 1e-45F, -1e-45F},
      {1, 9});
  for (int64_t k = 0; k <= 9; ++k) check_against_sort(odd, k);

  CHECK(topk(Tensor::empty({2, 0}), 5).values.shape() == Shape{2, 0});
  CHECK(topk(Tensor::empty({0, 4}), 5).values.shape() == Shape{0, 4});
}

TEST_CASE("Sorts keys by score, then by index") {
  for (const int64_t count : {0, 1, 255, 256, 5000}) {
    const Tensor scores = random_tensor({count}, 11, -3, 3);
    std::vector<uint64_t> keys;
    for (float& score : scores.span<float>()) {
      if (count == 5000) score = std::round(score * 4);
      keys.push_back(rank_key(score_word(score), static_cast<uint32_t>(keys.size())));
    }
    std::vector<uint64_t> expected = keys;
    std::sort(expected.begin(), expected.end());
    cpu::sort_rank_keys(keys);
    CHECK(keys == expected);
  }
}

}  // namespace
}  // namespace mrcnn
