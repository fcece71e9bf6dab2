#include <algorithm>
#include <utility>

#include "kernels/detection/score_order.h"

namespace mrcnn::cpu {
namespace {

constexpr size_t kRadixFrom = 256;  // below, std::sort costs less than clearing the histograms
constexpr int kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;

}  // namespace

// Counting sort of the upper word, least significant digit first; stable, so the lower words of
// equal upper words keep their order.
void sort_rank_keys(std::vector<uint64_t>& keys) {
  if (keys.size() < kRadixFrom) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  std::vector<uint64_t> sorted(keys.size());
  std::vector<uint32_t> offsets(kDigits);
  for (int shift = 32; shift < 64; shift += kDigitBits) {
    std::fill(offsets.begin(), offsets.end(), 0U);
    const auto digit = [shift](uint64_t key) { return (key >> shift) & (kDigits - 1); };
    for (const uint64_t key : keys) ++offsets[digit(key)];
    if (offsets[digit(keys[0])] == keys.size()) continue;  // all equal here
    uint32_t total = 0;
    for (uint32_t& offset : offsets) total += std::exchange(offset, total);
    for (const uint64_t key : keys) sorted[offsets[digit(key)]++] = key;
    keys.swap(sorted);
  }
}

}  // namespace mrcnn::cpu
