#include "data/evaluation/voc_ap.h"

#include <algorithm>
#include <cstddef>

namespace mrcnn {

double voc_ap_2007(std::span<const double> recall, std::span<const double> precision) {
  constexpr int kLevels = 11;
  double sum = 0;
  for (int level = 0; level < kLevels; ++level) {
    const double least = static_cast<double>(level) / 10;  // so that 3 of 5 objects reach 0.6
    double best = 0;
    for (size_t i = 0; i < recall.size(); ++i) {
      if (recall[i] >= least) best = std::max(best, precision[i]);
    }
    sum += best / kLevels;
  }
  return sum;
}

double voc_ap_2012(std::span<const double> recall, std::span<const double> precision) {
  double area = 0, best = 0;
  for (size_t i = recall.size(); i-- > 0;) {
    best = std::max(best, precision[i]);
    area += (recall[i] - (i == 0 ? 0 : recall[i - 1])) * best;
  }
  return area;
}

}  // namespace mrcnn
