#include "data/dataset.h"

#include <algorithm>
#include <utility>

namespace mrcnn {

int64_t Dataset::num_classes() const {
  int64_t largest = 0;
  for (const DatasetClass& one : classes()) largest = std::max(largest, one.label);
  return largest + 1;
}

std::vector<EvaluatedTruth> Dataset::truths(int64_t index, TruthParts parts) const {
  std::vector<EvaluatedTruth> truths;
  for (DatasetObject& object : objects(index)) {
    const auto& [x1, y1, x2, y2] = object.box;
    truths.push_back({.id = object.id,
                      .category = object.label,
                      .box = {x1, y1, x2 - x1, y2 - y1},
                      .area = object.area,
                      .crowd = object.crowd,
                      .difficult = object.difficult,
                      .mask = {}});
    if (parts == TruthParts::kBoxesAndMasks) truths.back().mask = std::move(object.mask);
  }
  return truths;
}

}  // namespace mrcnn
