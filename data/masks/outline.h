// The outlines of a mask as polygons along pixel edges.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rle.h"

namespace mrcnn {

using Polygon = std::vector<float>;  // x0, y0, x1, y1, ...; pixel corners, not closed

enum class HoleStyle {
  // Every outline on its own: outer ones run clockwise on the screen, holes counter-clockwise.
  // Filled by the even-odd rule, all together give the mask.
  kSeparate,
  // One polygon for each 4-connected part, its holes tied to it by a slit that is walked there and
  // back. COCO fills each polygon alone and takes the union, which cannot express a separate hole.
  // The time grows with the number of holes times the corners around them.
  kBridged,
};

// Traces the boundary between pixels. A pixel covers [x, x + 1) x [y, y + 1); only corners where
// the outline turns are listed. Parts that touch at a corner only are separate polygons. Ordered by
// their first pixel, column by column. Both styles give the mask back exactly, also through COCO's
// polygon rule, whose sampling points are the pixel centres.
std::vector<Polygon> mask_outlines(const Rle& mask, HoleStyle holes);

}  // namespace mrcnn
