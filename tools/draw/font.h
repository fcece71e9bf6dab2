// The project's own bitmap font: ASCII 32..126, proportional, capitals 9 pixels high, stems of two
// pixels so that it stays readable on a coloured ground.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mrcnn {

inline constexpr int kGlyphHeight = 12;   // 9 above the base line, 3 below
inline constexpr int kMaxGlyphWidth = 8;  // without the gap to the next glyph
inline constexpr int kGlyphGap = 1;

struct Glyph {
  int width = 0;
  std::array<uint8_t, kGlyphHeight> rows{};  // bit x is column x

  bool ink(int y, int x) const {
    return y >= 0 && y < kGlyphHeight && x >= 0 && x < width &&
           (rows[static_cast<size_t>(y)] >> x & 1) != 0;
  }
};

// A character outside the font gives a hollow box.
const Glyph& find_glyph(char32_t character);

}  // namespace mrcnn
