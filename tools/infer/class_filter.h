// Which classes the user wants to see.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/detection/instances.h"

namespace mrcnn {

// class_names[label] for label 0 (background) to K - 1.
class ClassFilter {
 public:
  ClassFilter() = default;  // keeps everything
  // `list`: class names (any case) or ids, separated by commas. Throws UsageError that names the
  // unknown class and the nearest known one.
  ClassFilter(std::string_view list, std::span<const std::string> class_names);

  bool keeps(int64_t label) const;
  // The instances of kept classes, in their order; everything is shared, not copied, if all stay.
  Instances apply(const Instances& instances) const;

 private:
  std::vector<bool> kept_;  // by label; empty: all
};

}  // namespace mrcnn
