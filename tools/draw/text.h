// Lines of text on a canvas.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/draw/canvas.h"

namespace mrcnn {

// Width in pixels of a line of UTF-8 text; scale is the size of a font pixel, 1 or more.
int64_t text_width(std::string_view text, int64_t scale);
// Height from the top of a capital to the bottom of a descender.
int64_t text_height(int64_t scale);

// Draws with the upper left corner at (y, x). Larger scales are smoothed: the edge of a glyph is
// where the bilinearly interpolated bitmap passes one half, so that diagonals are not stairs.
void draw_text(Canvas& canvas, int64_t y, int64_t x, std::string_view text, int64_t scale,
               const RgbColour& colour);

}  // namespace mrcnn
