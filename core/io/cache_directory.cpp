#include "core/io/cache_directory.h"

#include <cstdlib>

namespace mrcnn {

std::string default_cache_directory() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (const std::string own = variable("MRCNN_CACHE_DIR"); !own.empty()) return own;
  if (const std::string all = variable("XDG_CACHE_HOME"); !all.empty()) return all + "/maskrcnn";
  const std::string home = variable("HOME");
  return home.empty() ? home : home + "/.cache/maskrcnn";
}

}  // namespace mrcnn
