// Time for measuring spans.
#pragma once

#include <chrono>

namespace mrcnn {

// Since some fixed instant; never goes back.
inline double monotonic_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace mrcnn
