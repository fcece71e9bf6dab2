#include "data/loader/epoch_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace mrcnn {
namespace {

std::vector<int64_t> shuffled(int64_t count, uint64_t seed, int64_t epoch) {
  const RandomStream stream{
      .seed = seed, .purpose = RandomPurpose::kShuffle, .step = static_cast<uint32_t>(epoch)};
  std::vector<std::pair<uint64_t, int64_t>> keys;
  keys.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const auto block = stream.block(static_cast<uint64_t>(i));
    keys.emplace_back(static_cast<uint64_t>(block[0]) << 32 | block[1], i);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<int64_t> order;
  order.reserve(keys.size());
  for (const auto& [key, index] : keys) order.push_back(index);
  return order;
}

size_t group_of(float aspect, int64_t groups_per_octave) {
  if (groups_per_octave == 0) return 0;
  const double position =
      std::floor(std::log2(static_cast<double>(aspect)) * static_cast<double>(groups_per_octave));
  const auto limit = static_cast<double>(groups_per_octave);
  return static_cast<size_t>(std::clamp(position, -limit - 1, limit) + limit + 1);
}

}  // namespace

std::vector<std::vector<int64_t>> plan_epoch(std::span<const float> aspects,
                                             const EpochPlanOptions& options, uint64_t seed,
                                             int64_t epoch) {
  if (options.batch < 1 || options.aspect_groups < 0) {
    throw UsageError("batch size " + std::to_string(options.batch) + " and " +
                     std::to_string(options.aspect_groups) + " aspect groups make no sense");
  }
  const auto count = static_cast<int64_t>(aspects.size());
  std::vector<int64_t> order(aspects.size());
  std::iota(order.begin(), order.end(), 0);
  if (options.shuffle) order = shuffled(count, seed, epoch);

  std::vector<std::vector<int64_t>> batches;
  std::vector<std::vector<int64_t>> open(static_cast<size_t>(2 * options.aspect_groups + 2));
  const auto batch = static_cast<size_t>(options.batch);
  for (const int64_t index : order) {
    std::vector<int64_t>& group =
        open[group_of(aspects[static_cast<size_t>(index)], options.aspect_groups)];
    group.push_back(index);
    if (group.size() == batch) batches.push_back(std::exchange(group, {}));
  }
  std::vector<int64_t> rest;
  for (const std::vector<int64_t>& group : open) {
    for (const int64_t index : group) {
      rest.push_back(index);
      if (rest.size() == batch) batches.push_back(std::exchange(rest, {}));
    }
  }
  if (!rest.empty()) batches.push_back(std::move(rest));
  return batches;
}

}  // namespace mrcnn
