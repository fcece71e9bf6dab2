// One mask drawn over a picture: a translucent area with a smooth contour.
#pragma once

#include "core/rle.h"
#include "tools/draw/canvas.h"

namespace mrcnn {

struct MaskStroke {
  int fill_opacity = 102;  // 0..255
  int contour_width = 2;   // pixels, 0 for none; at most kMaxContourWidth
};

inline constexpr int kMaxContourWidth = 14;

// The mask has the size of the canvas. Works on the mask's bounding box only. No contour runs along
// the border of the picture.
void draw_mask(Canvas& canvas, const Rle& mask, const RgbColour& colour, const MaskStroke& stroke);

}  // namespace mrcnn
