#include "data/shapes/figure.h"

#include <cmath>

namespace mrcnn::shapes {
namespace {

constexpr int64_t kUnit = 256;  // of one pixel

struct Direction {
  double x;
  double y;
};

// Of length 1, evenly distributed. Square roots are exact to the last bit on every machine, sines
// are not.
Direction draw_direction(Draw& draw) {
  for (;;) {
    const double x = draw.between(-1, 1);
    const double y = draw.between(-1, 1);
    const double length = std::sqrt(x * x + y * y);
    if (length > 0.1 && length <= 1) return {x / length, y / length};
  }
}

// Corners of a figure inside the unit circle.
std::vector<Direction> unit_corners(FigureKind kind, Draw& draw) {
  if (kind == FigureKind::kRectangle) {
    const double ratio = draw.between(0.5, 1);
    const double x = 1 / std::sqrt(1 + ratio * ratio);
    const double y = ratio * x;
    return {{-x, -y}, {x, -y}, {x, y}, {-x, y}};
  }
  const double squeeze = draw.between(0.8, 1);
  if (kind == FigureKind::kTriangle) {
    constexpr double kSine60 = 0.8660254037844386;
    return {{0, -squeeze}, {kSine60, 0.5 * squeeze}, {-kSine60, 0.5 * squeeze}};
  }
  // Sines and cosines of multiples of 36 degrees, for the tips and the notches between them.
  constexpr double kSine[] = {0, 0.5877852522924731, 0.9510565162951535};
  constexpr double kCosine[] = {1, 0.8090169943749475, 0.30901699437494745};
  constexpr double kNotch = 0.45;
  const Direction right[] = {{kSine[0], -kCosine[0]}, {kNotch * kSine[1], -kNotch * kCosine[1]},
                             {kSine[2], -kCosine[2]}, {kNotch * kSine[2], kNotch * kCosine[2]},
                             {kSine[1], kCosine[1]},  {0, kNotch}};
  std::vector<Direction> corners;
  for (const Direction& corner : right) corners.push_back({corner.x, squeeze * corner.y});
  for (size_t i = 4; i >= 1; --i) corners.push_back({-right[i].x, squeeze * right[i].y});
  return corners;
}

int64_t to_units(double pixels) { return static_cast<int64_t>(std::floor(pixels * kUnit + 0.5)); }

// Even-odd rule: edges that cross the ray from the point to the right.
bool inside_corners(const std::vector<Point>& corners, const Point& point) {
  bool inside = false;
  for (size_t i = 0; i < corners.size(); ++i) {
    const Point& a = corners[i];
    const Point& b = corners[(i + 1) % corners.size()];
    if ((a.y > point.y) == (b.y > point.y)) continue;
    const int64_t side = (b.x - a.x) * (point.y - a.y) - (point.x - a.x) * (b.y - a.y);
    if ((side > 0) == (b.y > a.y)) inside = !inside;
  }
  return inside;
}

bool inside(const Figure& figure, const Point& point) {
  if (!figure.corners.empty()) return inside_corners(figure.corners, point);
  const int64_t dx = point.x - figure.centre.x;
  const int64_t dy = point.y - figure.centre.y;
  const int64_t distance = dx * dx + dy * dy;
  return distance < figure.radius * figure.radius &&
         distance >= figure.hole_radius * figure.hole_radius;
}

}  // namespace

Figure draw_figure(FigureKind kind, double x, double y, double radius, Draw& draw) {
  Figure figure{kind, {to_units(x), to_units(y)}, to_units(radius), 0, {}};
  if (kind == FigureKind::kCircle) return figure;
  if (kind == FigureKind::kRing) {
    figure.hole_radius = to_units(radius * draw.between(0.45, 0.6));
    return figure;
  }
  const Direction turn = draw_direction(draw);
  for (const Direction& corner : unit_corners(kind, draw)) {
    figure.corners.push_back({to_units(x + radius * (turn.x * corner.x - turn.y * corner.y)),
                              to_units(y + radius * (turn.y * corner.x + turn.x * corner.y))});
  }
  return figure;
}

Coverage cover(const Figure& figure, int64_t height, int64_t width) {
  // One pixel more than the radius on each side covers the rounding of corners.
  const int64_t reach = figure.radius / kUnit + 2;
  const int64_t middle_x = figure.centre.x / kUnit;
  const int64_t middle_y = figure.centre.y / kUnit;
  Coverage coverage;
  for (int64_t y = middle_y - reach; y <= middle_y + reach; ++y) {
    for (int64_t x = middle_x - reach; x <= middle_x + reach; ++x) {
      if (!inside(figure, {x * kUnit + kUnit / 2, y * kUnit + kUnit / 2})) continue;
      ++coverage.area;
      if (x >= 0 && x < width && y >= 0 && y < height) coverage.pixels.push_back(y * width + x);
    }
  }
  return coverage;
}

}  // namespace mrcnn::shapes
