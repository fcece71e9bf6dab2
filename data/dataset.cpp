#include "data/dataset.h"

#include <algorithm>

namespace mrcnn {

int64_t Dataset::num_classes() const {
  int64_t largest = 0;
  for (const DatasetClass& one : classes()) largest = std::max(largest, one.label);
  return largest + 1;
}

}  // namespace mrcnn
