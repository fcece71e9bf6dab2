// Which level of a pyramid an anchor is on, shared by host and device.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mrcnn {

inline constexpr int kMaxAnchorLevels = 8;

// The anchors of one image: those of level 0 in (row, column, anchor) order, then those of level 1
// and so on.
struct AnchorLevels {
  int levels = 0;
  int64_t ends[kMaxAnchorLevels] = {};  // anchors of an image up to and including a level
};

struct AnchorPlace {
  int level;       // -1: nowhere
  int64_t anchor;  // in the level's map of all images
};

HOST_DEVICE inline AnchorPlace find_anchor(const AnchorLevels& table, int64_t image,
                                           int64_t index) {
  if (index < 0) return {-1, 0};
  int64_t begin = 0;
  for (int level = 0; level < table.levels; ++level) {
    const int64_t end = table.ends[level];
    if (index < end) return {level, image * (end - begin) + index - begin};
    begin = end;
  }
  return {-1, 0};
}

}  // namespace mrcnn
