// Which images are in which batch of an epoch: a function of (seed, epoch) and the images' shapes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mrcnn {

struct EpochPlanOptions {
  int64_t batch = 1;
  bool shuffle = true;
  // Images of one batch have about one shape, so that little of it is padding: 2 * this many groups
  // by height / width, bounded at powers of 2^(1/this) between 1/2 and 2. 0: no groups.
  // Source: torchvision references/detection/group_by_aspect_ratio.py (3).
  int64_t aspect_groups = 3;
};

// Rows of dataset indices, every index once. Batches are full but for the last ones: what is left
// of the groups is put together, and the very last may be smaller. aspects: height / width per
// image.
std::vector<std::vector<int64_t>> plan_epoch(std::span<const float> aspects,
                                             const EpochPlanOptions& options, uint64_t seed,
                                             int64_t epoch);

}  // namespace mrcnn
