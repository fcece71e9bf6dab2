// The order of scores that top-k and NMS share: descending, equal scores by index, NaN last.
// A 64-bit key (score word above, index below) turns it into the order of integers.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/host_device.h"
#include "core/stream.h"

namespace mrcnn {

// Smaller is better. -0 equals +0; every NaN is the largest word.
HOST_DEVICE inline uint32_t score_word(float score) {
  if (score != score) return 0xffffffffU;
  const auto bits = std::bit_cast<uint32_t>(score + 0.0F);  // -0 + 0 is +0
  const uint32_t ascending = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return ~ascending;
}

HOST_DEVICE inline uint64_t rank_key(uint32_t word, uint32_t index) {
  return (static_cast<uint64_t>(word) << 32) | index;
}
HOST_DEVICE inline uint32_t key_word(uint64_t key) { return static_cast<uint32_t>(key >> 32); }
HOST_DEVICE inline uint32_t key_index(uint64_t key) { return static_cast<uint32_t>(key); }

namespace cpu {
// Sorts keys ascending. They must come with ascending lower words among equal upper words.
void sort_rank_keys(std::vector<uint64_t>& keys);
}  // namespace cpu

namespace cuda {
// Keys that one block sorts in shared memory: 64 KiB.
inline constexpr int64_t kSharedSortKeys = 8192;

// Sorts rows of keys ascending, in place.
//   keys  [rows, n], all 64 bits count
//   count [rows], or null: only the first count of each row are sorted, the rest stays as it is;
//         values outside 0..n are taken as the nearest of them
// A row of up to `tile` keys takes one launch; the number of launches depends on n alone, and
// nothing waits. `tile` is a power of two from 2 to kSharedSortKeys; smaller ones serve tests of
// long rows.
void sort_keys(int64_t rows, int64_t n, const int32_t* count, uint64_t* keys, Stream stream,
               int64_t tile = kSharedSortKeys);
void sort_keys(int64_t rows, int64_t n, uint64_t* keys, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
