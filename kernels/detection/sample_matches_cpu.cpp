#include "kernels/detection/sample_matches.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/match_boxes.h"

namespace mrcnn::cpu {
namespace {

// Positives or negatives of one image.
struct Members {
  const int32_t* matched;
  int64_t boxes;
  bool positive;

  bool has(int64_t t) const { return positive ? matched[t] >= 0 : matched[t] == kBackground; }
  int64_t count() const {
    int64_t total = 0;
    for (int64_t t = 0; t < boxes; ++t) total += has(t) ? 1 : 0;
    return total;
  }
};

// (key, t) of all members with keys up to `limit`, as one number.
void gather_keys(const Members& members, const RandomStream& random, uint64_t first_key,
                 uint32_t limit, std::vector<uint64_t>& keys) {
  keys.clear();
  for (int64_t first = 0; first < members.boxes; first += 4) {
    const int64_t end = std::min(first + 4, members.boxes);
    int64_t t = first;
    while (t < end && !members.has(t)) ++t;
    if (t == end) continue;
    const auto words = random.block((first_key + static_cast<uint64_t>(first)) / 4);
    for (; t < end; ++t) {
      const uint64_t key = words[static_cast<size_t>(t - first)];
      if (key <= limit && members.has(t)) keys.push_back(key << 32 | static_cast<uint64_t>(t));
    }
  }
}

// The `wanted` of `total` members with the smallest keys. They are most likely among the smallest
// 2 * wanted / total of all keys, so that few have to be compared.
void choose(const Members& members, int64_t total, int64_t wanted, const RandomStream& random,
            uint64_t first_key, int32_t* indices) {
  if (wanted == total) {
    for (int64_t t = 0; t < members.boxes; ++t) {
      if (members.has(t)) *indices++ = static_cast<int32_t>(t);
    }
    return;
  }
  if (wanted == 0) return;
  std::vector<uint64_t> keys;
  double share = static_cast<double>(2 * wanted + 64) / static_cast<double>(total);
  do {
    const uint32_t limit = share < 1 ? static_cast<uint32_t>(share * 0x1p32) : UINT32_MAX;
    gather_keys(members, random, first_key, limit, keys);
    share *= 2;
  } while (static_cast<int64_t>(keys.size()) < wanted);
  std::nth_element(keys.begin(), keys.begin() + wanted - 1, keys.end());
  for (int64_t i = 0; i < wanted; ++i) {
    indices[i] = static_cast<int32_t>(keys[static_cast<size_t>(i)] & UINT32_MAX);
  }
  std::sort(indices, indices + wanted);
}

void sample_image(const SampleView& view, int64_t n) {
  const int32_t* matched = view.matched + n * view.boxes;
  const Members positives{matched, view.boxes, true};
  const Members negatives{matched, view.boxes, false};
  const int64_t all_positive = positives.count();
  const int64_t all_negative = negatives.count();
  const int64_t num_positive = std::min(all_positive, view.most_positive);
  const int64_t num_negative = std::min(all_negative, view.samples - num_positive);
  int32_t* indices = view.indices + n * view.samples;
  choose(positives, all_positive, num_positive, view.random, view.first_key(n), indices);
  choose(negatives, all_negative, num_negative, view.random, view.first_key(n),
         indices + num_positive);
  std::fill(indices + num_positive + num_negative, indices + view.samples, -1);
  view.num_positive[n] = static_cast<int32_t>(num_positive);
  view.num_negative[n] = static_cast<int32_t>(num_negative);
}

}  // namespace

void sample_matches(const SampleView& view) {
  parallel_for(0, view.images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) sample_image(view, n);
  });
}

}  // namespace mrcnn::cpu
