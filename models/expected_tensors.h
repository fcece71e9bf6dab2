// The tensors of each model as its weight file holds them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mrcnn {

struct NameAndShape {
  std::string name;
  std::vector<int64_t> shape;  // in file order: convolutions OIHW
  friend bool operator==(const NameAndShape&, const NameAndShape&) = default;
};

// Names, shapes and order of the reference's state dict. `num_classes` counts the background.
// Throws UsageError on an unknown model.
std::vector<NameAndShape> expected_tensors(std::string_view model, int64_t num_classes);

}  // namespace mrcnn
