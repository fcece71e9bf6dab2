// Many pictures on one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor.h"

namespace mrcnn {

inline constexpr int64_t kTileHeight = 240;
inline constexpr int64_t kTileWidth = 320;

struct Tile {
  Tensor picture;  // [H, W, 3] u8, at most kTileHeight x kTileWidth
  std::string caption;
};

// Tiles in rows, left to right, with their captions below. columns 0: so many that the sheet is
// about as wide as high.
Tensor draw_contact_sheet(std::span<const Tile> tiles, int64_t columns);

}  // namespace mrcnn
