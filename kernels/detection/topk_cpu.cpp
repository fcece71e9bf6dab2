#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/score_order.h"
#include "kernels/detection/topk.h"

namespace mrcnn::cpu {
namespace {

constexpr int kBinShift = 20;  // a bin is the upper 12 bits: sign, exponent, 3 bits of mantissa
constexpr size_t kBins = size_t{1} << (32 - kBinShift);

// The bin that holds the k-th best score; k >= 1.
uint32_t last_bin(const float* scores, int64_t columns, int64_t k) {
  std::vector<uint32_t> histogram(kBins);
  for (int64_t i = 0; i < columns; ++i) ++histogram[score_word(scores[i]) >> kBinShift];
  int64_t seen = 0;
  uint32_t bin = 0;
  while ((seen += histogram[bin]) < k) ++bin;
  return bin;
}

// Only scores of the last needed bin or better can be among the k best, usually few more than k.
void topk_row(int64_t columns, int64_t k, const float* scores, float* values, int32_t* indices) {
  if (k == 0) return;
  const uint32_t bin = last_bin(scores, columns, k);
  std::vector<uint64_t> keys;
  keys.reserve(static_cast<size_t>(2 * k));
  for (int64_t i = 0; i < columns; ++i) {
    const uint32_t word = score_word(scores[i]);
    if (word >> kBinShift <= bin) keys.push_back(rank_key(word, static_cast<uint32_t>(i)));
  }
  const auto middle = keys.begin() + k;
  if (middle != keys.end()) std::nth_element(keys.begin(), middle, keys.end());
  std::sort(keys.begin(), middle);
  for (int64_t i = 0; i < k; ++i) {
    const uint32_t index = key_index(keys[static_cast<size_t>(i)]);
    values[i] = scores[index];
    indices[i] = static_cast<int32_t>(index);
  }
}

}  // namespace

void topk(int64_t rows, int64_t columns, int64_t k, const float* scores, float* values,
          int32_t* indices) {
  parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      topk_row(columns, k, scores + row * columns, values + row * k, indices + row * k);
    }
  });
}

}  // namespace mrcnn::cpu
