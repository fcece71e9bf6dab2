// Lines of many points made fit to be drawn.
#pragma once

#include <cstddef>
#include <vector>

namespace mrcnn {

struct CurvePoint {
  double x = 0;
  double y = 0;
  friend bool operator==(const CurvePoint&, const CurvePoint&) = default;
};

// Without the points that are not finite.
std::vector<CurvePoint> finite_points(const std::vector<CurvePoint>& points);

// At most `limit` (4 or more) points that look the same: of each stretch the lowest and the
// highest, so that no peak is lost; the first and the last point stay.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points, size_t limit);

// Each value the mean of those at most `reach` places away; there are fewer at the ends.
std::vector<CurvePoint> smoothed(const std::vector<CurvePoint>& points, size_t reach);

// The value that a share (0..1) of the points lies at or below; 0 of no points.
double quantile(const std::vector<CurvePoint>& points, double share);

}  // namespace mrcnn
