// Polygons as COCO's reference rasterises them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/io/limits.h"
#include "core/rle.h"

namespace mrcnn {

// Corners further out, in pixels, are refused.
inline constexpr auto kMaxPolygonCoordinate =
    static_cast<double>(kLimits.annotation.polygon_coordinate);

// The mask of one polygon: corners x0, y0, x1, y1, ... in pixels, not closed; the last number of an
// odd count has no effect, and fewer than three corners give an empty mask. A corner may lie
// outside the image. The result equals pycocotools run by run; it is not the even-odd fill of the
// polygon but that of an outline traced on a grid of five points per pixel (see the source).
// Throws Error with ExitCode::kData for a coordinate that is not finite or beyond
// kMaxPolygonCoordinate, and for sizes below 1x1 or past kMaxRlePixels (data/masks/rle.h).
// The time grows with the columns that edges cross, not with their lengths.
// Source: pycocotools common/maskApi.c rleFrPoly.
Rle rle_from_polygon(std::span<const double> corners, int64_t height, int64_t width);

// The union of the masks of an object's polygons; an empty mask if there are none.
Rle rle_from_polygons(std::span<const std::vector<double>> polygons, int64_t height, int64_t width);

}  // namespace mrcnn
