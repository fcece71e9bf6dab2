#include "data/loader/epoch_plan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/error.h"

namespace mrcnn {
namespace {

std::vector<int64_t> flattened(const std::vector<std::vector<int64_t>>& batches) {
  std::vector<int64_t> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

std::vector<float> aspects(size_t count) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(i % 3 == 0 ? 1.5F : 0.66F);
  return values;
}

TEST_CASE("Every image is there once, whatever the batch and the groups") {
  for (const int64_t batch : {1, 2, 7, 100, 1000}) {
    for (const int64_t groups : {0, 1, 3}) {
      std::vector<int64_t> all =
          flattened(plan_epoch(aspects(101), {.batch = batch, .aspect_groups = groups}, 5, 2));
      std::sort(all.begin(), all.end());
      REQUIRE(all.size() == 101);
      for (int64_t i = 0; i < 101; ++i) CHECK(all[static_cast<size_t>(i)] == i);
    }
  }
}

TEST_CASE("Batches hold images of one shape, but for what is left") {
  const auto values = aspects(101);
  const auto batches = plan_epoch(values, {.batch = 4}, 5, 0);
  REQUIRE(batches.size() == 26);
  int64_t mixed = 0;
  for (const auto& batch : batches) {
    mixed += std::any_of(batch.begin(), batch.end(), [&](int64_t index) {
      return values[static_cast<size_t>(index)] != values[static_cast<size_t>(batch.front())];
    });
  }
  CHECK(mixed <= 1);
  CHECK(batches.back().size() == 1);
}

TEST_CASE("The order depends on seed and epoch, and on nothing else") {
  const EpochPlanOptions options{.batch = 3, .aspect_groups = 0};
  const auto first = plan_epoch(aspects(50), options, 1, 0);
  CHECK(first == plan_epoch(aspects(50), options, 1, 0));
  CHECK(first != plan_epoch(aspects(50), options, 1, 1));
  CHECK(first != plan_epoch(aspects(50), options, 2, 0));
  const auto in_order =
      flattened(plan_epoch(aspects(5), {.shuffle = false, .aspect_groups = 0}, 1, 0));
  CHECK(in_order == std::vector<int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("A shuffle moves most images and has no favourite place") {
  std::vector<int64_t> seen(20, 0);
  for (int64_t epoch = 0; epoch < 2000; ++epoch) {
    ++seen[static_cast<size_t>(
        plan_epoch(aspects(20), {.aspect_groups = 0}, 7, epoch).front().front())];
  }
  // 100 expected, standard deviation 9.7: five of them.
  for (const int64_t count : seen) CHECK(std::abs(count - 100) < 50);
}

TEST_CASE("Strips of any shape have a group; options are checked") {
  const std::vector<float> strips{1e-6F, 1e6F, 1.0F, 0.5F, 2.0F};
  CHECK(flattened(plan_epoch(strips, {.batch = 2}, 1, 0)).size() == 5);
  CHECK_THROWS_WITH_AS(plan_epoch(strips, {.batch = 0}, 1, 0), doctest::Contains("batch size 0"),
                       UsageError);
}

}  // namespace
}  // namespace mrcnn
