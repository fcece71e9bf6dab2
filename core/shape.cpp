#include "core/shape.h"

#include <cassert>

#include "core/error.h"

namespace mrcnn {

Shape::Shape(std::span<const int64_t> extents) : rank_(static_cast<int>(extents.size())) {
  constexpr int64_t kMaxNumel = int64_t{1} << 62;
  if (extents.size() > static_cast<size_t>(kMaxRank)) {
    throw ShapeError("[shape] " + std::to_string(extents.size()) + " dimensions, at most " +
                     std::to_string(kMaxRank) + " are supported");
  }
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    const int64_t extent = extents[axis];
    if (extent < 0) {
      throw ShapeError("[shape] negative extent " + std::to_string(extent) + " at axis " +
                       std::to_string(axis));
    }
    extents_[axis] = extent;
    if (extent != 0 && numel_ > kMaxNumel / extent) {
      throw ShapeError("[shape] more than 2^62 elements");
    }
    numel_ *= extent;
  }
}

int64_t Shape::operator[](int axis) const {
  const int index = axis < 0 ? axis + rank_ : axis;
  assert(index >= 0 && index < rank_);
  return extents_[static_cast<size_t>(index)];
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int axis = 0; axis < rank_; ++axis) {
    if (axis > 0) text += ',';
    text += std::to_string((*this)[axis]);
  }
  return text + "]";
}

}  // namespace mrcnn
