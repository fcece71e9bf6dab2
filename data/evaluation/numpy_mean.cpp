#include "data/evaluation/numpy_mean.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mrcnn {
namespace {

double pairwise_sum(std::span<const double> values) {
  const size_t count = values.size();
  if (count < 8) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  if (count <= 128) {
    std::array<double, 8> lanes{};
    std::copy_n(values.begin(), 8, lanes.begin());
    size_t i = 8;
    for (; i + 8 <= count; i += 8) {
      for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += values[i + lane];
    }
    double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                 ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (; i < count; ++i) sum += values[i];
    return sum;
  }
  const size_t half = count / 2 / 8 * 8;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace

double numpy_mean(std::span<const double> values, NumpySum sum) {
  constexpr size_t kBlock = 8192;
  if (values.empty()) return -1;
  const size_t block = sum == NumpySum::kBlocks ? kBlock : values.size();
  double total = 0;
  for (size_t begin = 0; begin < values.size(); begin += block) {
    total += pairwise_sum(values.subspan(begin, std::min(block, values.size() - begin)));
  }
  return total / static_cast<double>(values.size());
}

}  // namespace mrcnn
