// The figures of the shapes set and the pixels they cover. A pixel belongs to a figure if its
// centre does, decided in integers of 1/256 pixel, so masks are exact and the same on any machine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/shapes/draw.h"

namespace mrcnn::shapes {

// In the order of their labels, which start at 1.
enum class FigureKind { kCircle, kRectangle, kTriangle, kStar, kRing };
inline constexpr std::array<std::string_view, 5> kFigureNames = {"circle", "rectangle", "triangle",
                                                                 "star", "ring"};

struct Point {
  int64_t x = 0;  // 1/256 pixel
  int64_t y = 0;
};

struct Figure {
  FigureKind kind = FigureKind::kCircle;
  Point centre;
  int64_t radius = 0;          // of the circle around it, 1/256 pixel
  int64_t hole_radius = 0;     // of a ring
  std::vector<Point> corners;  // of all but circle and ring
};

// A figure of the given kind and radius (pixels) with a random rotation and proportion, its centre
// at (x, y).
Figure draw_figure(FigureKind kind, double x, double y, double radius, Draw& draw);

struct Coverage {
  std::vector<int64_t> pixels;  // y * width + x, ascending; inside the image
  int64_t area = 0;             // pixels inside and outside the image
};
Coverage cover(const Figure& figure, int64_t height, int64_t width);

}  // namespace mrcnn::shapes
