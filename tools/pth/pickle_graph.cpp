#include "tools/pth/pickle_graph.h"

#include <array>

namespace mrcnn::pth {

std::string_view value_kind_name(ValueKind kind) {
  constexpr std::array<std::string_view, 15> kNames = {
      "None",      "a bool",   "an integer",    "a float",       "a string",
      "bytes",     "a tuple",  "a list",        "a dict",        "a name",
      "a storage", "a tensor", "a NumPy dtype", "a NumPy array", "an object of unknown type"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace mrcnn::pth
