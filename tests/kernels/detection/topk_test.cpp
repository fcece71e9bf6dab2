#include "kernels/detection/topk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/device_memory.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/primitives.h"
#include "kernels/detection/score_order.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
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

void check_on_device(const Tensor& scores, int64_t k, Device device) {
  CAPTURE(k);
  CAPTURE(scores.shape().to_string());
  const TopK actual = topk(copy_to(scores, device), k);
  const TopK expected = topk(scores, k);
  CHECK(test::count_different_bits(actual.values, expected.values) == 0);
  CHECK(test::count_different_bits(actual.indices, expected.indices) == 0);
}

TEST_CASE("CUDA matches the CPU at warp, block and tile edges") {
  test::on_cuda([](Device device) {
    for (const int64_t columns : {0, 1, 2, 31, 32, 33, 64, 65, 257}) {
      const Tensor scores = random_tensor({2, columns}, static_cast<uint64_t>(columns), -5, 5);
      for (const int64_t k : {columns / 2, columns + 7}) check_on_device(scores, k, device);
    }
    check_on_device(Tensor::empty({0, 4}), 5, device);
  });
}

TEST_CASE("CUDA matches the CPU on rows wider than shared memory") {
  test::on_cuda([](Device device) {
    const Tensor scores = random_tensor({1, 8500}, 1, -5, 5);
    check_on_device(scores, 300, device);
    check_on_device(scores, 8193, device);
    // One bin of the histogram: the candidates are too many and are selected digit by digit, until
    // few enough are left, or to the last bit.
    check_on_device(random_tensor({1, 8200}, 2, 1.0F, 1.1F), 100, device);
    check_on_device(Tensor::zeros({1, 8200}), 100, device);
  });
}

TEST_CASE("CUDA orders ties, signed zeros, infinities and NaN as the CPU") {
  test::on_cuda([](Device device) {
    Tensor ties = random_tensor({2, 500}, 3, -2.5, 2.5);
    for (float& value : ties.span<float>()) value = std::round(value);
    check_on_device(ties, 77, device);
    const float infinity = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor odd = Tensor::from(
        std::vector<float>{nan, -0.0F, 0.0F, -infinity, infinity, -nan, -0.0F, 1e-45F, -1e-45F},
        {1, 9});
    for (const int64_t k : {1, 4, 9}) check_on_device(odd, k, device);
  });
}

TEST_CASE("CUDA searches levels of different sizes together") {
  constexpr int64_t kRows = 2;
  constexpr int64_t kTotal = 130 + 40 + 7;
  test::on_cuda([](Device device) {
    const std::vector<Tensor> scores = {random_tensor({kRows, 8500}, 4, -5, 5),
                                        random_tensor({kRows, 40}, 5, -5, 5),
                                        random_tensor({kRows, 300}, 6, -5, 5)};
    const std::vector<int64_t> wanted = {130, 40, 7};
    std::vector<Tensor> inputs;
    for (const Tensor& level : scores) inputs.push_back(copy_to(level, device));
    const Tensor values = Tensor::empty({kRows, kTotal}, DType::kF32, device);
    const Tensor indices = Tensor::empty({kRows, kTotal}, DType::kI32, device);
    dispatch_device(
        "topk", device, [] {},
        [&](Stream stream) {
          std::vector<cuda::TopkLevel> levels;
          int64_t begin = 0;
          for (size_t i = 0; i < inputs.size(); ++i) {
            levels.push_back({.scores = inputs[i].pointer<const float>(),
                              .columns = inputs[i].size(1),
                              .k = wanted[i],
                              .values = values.pointer<float>() + begin,
                              .indices = indices.pointer<int32_t>() + begin,
                              .output_stride = kTotal});
            begin += wanted[i];
          }
          const Tensor workspace =
              Tensor::empty({cuda::topk_workspace_bytes(kRows, levels)}, DType::kU8, device);
          cuda::topk(kRows, levels, workspace.raw(), stream);
        });
    const Tensor host_values = copy_to(values, Device{});
    const Tensor host_indices = copy_to(indices, Device{});
    int64_t begin = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      const TopK expected = topk(scores[i], wanted[i]);
      for (int64_t row = 0; row < kRows; ++row) {
        const int64_t from = row * kTotal + begin;
        const auto best = expected.indices.slice(row, row + 1).span<const int32_t>();
        const auto best_values = expected.values.slice(row, row + 1).span<const float>();
        CHECK(std::equal(best.begin(), best.end(), host_indices.data<const int32_t>() + from));
        CHECK(std::equal(best_values.begin(), best_values.end(),
                         host_values.data<const float>() + from));
      }
      begin += wanted[i];
    }
  });
}

TEST_CASE("CUDA: a captured graph searches what its input holds when it is replayed") {
  test::on_cuda([](Device device) {
    const Tensor scores = random_tensor({1, 8500}, 7, -5, 5);
    const Tensor others = random_tensor({1, 8500}, 8, -5, 5);
    const Tensor device_scores = copy_to(scores, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const TopK actual = graph.capture([&] { return topk(device_scores, 40); });
    CHECK(graph.num_nodes() == 4);
    upload_bytes(device_scores.raw(), device, others.raw(), others.bytes());
    graph.replay();
    const TopK expected = topk(others, 40);
    CHECK(test::count_different_bits(actual.values, expected.values) == 0);
    CHECK(test::count_different_bits(actual.indices, expected.indices) == 0);
  });
}

// Random keys, some of them equal; tensors have no unsigned type.
Tensor random_keys(int64_t rows, int64_t n) {
  const Tensor values = random_tensor({rows, n, 2}, static_cast<uint64_t>(n), 0, 1);
  Tensor keys = Tensor::empty({rows, n}, DType::kI64);
  for (int64_t i = 0; i < keys.numel(); ++i) {
    const float* pair = values.data<const float>() + 2 * i;
    const auto word = static_cast<uint32_t>(pair[0] * 100);
    const uint64_t key = rank_key(word, static_cast<uint32_t>(pair[1] * 1000));
    keys.data<int64_t>()[i] = static_cast<int64_t>(key);
  }
  return keys;
}

// counts: keys to sort per row, empty for all.
void check_sort(const Tensor& keys, const std::vector<int32_t>& counts, int64_t tile,
                Device device) {
  const int64_t rows = keys.size(0);
  const int64_t n = keys.size(1);
  CAPTURE(n);
  CAPTURE(tile);
  const Tensor sorted = copy_to(keys.clone(), device);
  const Tensor count = counts.empty() ? Tensor{} : copy_to(Tensor::from(counts, {rows}), device);
  dispatch_device(
      "sort_keys", device, [] {},
      [&](Stream stream) {
        cuda::sort_keys(rows, n, count.defined() ? count.pointer<const int32_t>() : nullptr,
                        static_cast<uint64_t*>(static_cast<void*>(sorted.raw())), stream, tile);
      });
  const Tensor expected = keys.clone();
  for (int64_t row = 0; row < rows; ++row) {
    int64_t* const begin = expected.data<int64_t>() + row * n;
    const int64_t wanted = counts.empty() ? n : counts[static_cast<size_t>(row)];
    std::sort(begin, begin + std::clamp<int64_t>(wanted, 0, n));
  }
  CHECK(test::count_different_bits(sorted, expected) == 0);
}

TEST_CASE("CUDA sorts rows of keys, within one block and beyond") {
  test::on_cuda([](Device device) {
    for (const int64_t n : {0, 1, 2, 3, 31, 64, 65, 129, 257}) {
      check_sort(random_keys(2, n), {}, cuda::kSharedSortKeys, device);
    }
    // Merges of 1, 2, ... steps beyond a tile; more than fit one launch from 32 tiles on.
    for (const int64_t n : {33, 64, 100, 257, 1100}) {
      check_sort(random_keys(2, n), {}, 32, device);
    }
    check_sort(random_keys(4, 300), {-1, 0, 170, 1000}, 32, device);
    check_sort(random_keys(4, 300), {-1, 0, 170, 1000}, cuda::kSharedSortKeys, device);
    check_sort(random_keys(1, 8200), {}, cuda::kSharedSortKeys, device);
  });
}

}  // namespace
}  // namespace mrcnn
