#include "tools/report/html/curve.h"

#include <algorithm>
#include <cmath>

namespace mrcnn {

std::vector<CurvePoint> finite_points(const std::vector<CurvePoint>& points) {
  std::vector<CurvePoint> finite;
  for (const CurvePoint& point : points) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) finite.push_back(point);
  }
  return finite;
}

std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points, size_t limit) {
  if (points.size() <= limit) return points;
  std::vector<CurvePoint> kept{points.front()};
  const size_t inner = points.size() - 2;
  const size_t stretches = (limit - 2) / 2;
  const auto lower = [](const CurvePoint& a, const CurvePoint& b) { return a.y < b.y; };
  for (size_t k = 0; k < stretches; ++k) {
    const auto at = [&](size_t i) {
      return points.begin() + 1 + static_cast<std::ptrdiff_t>(inner * i / stretches);
    };
    const auto [lowest, highest] = std::minmax_element(at(k), at(k + 1), lower);
    kept.push_back(*std::min(lowest, highest));
    if (lowest != highest) kept.push_back(*std::max(lowest, highest));
  }
  kept.push_back(points.back());
  return kept;
}

std::vector<CurvePoint> smoothed(const std::vector<CurvePoint>& points, size_t reach) {
  std::vector<double> sums{0};  // of the first i values
  for (const CurvePoint& point : points) sums.push_back(sums.back() + point.y);
  std::vector<CurvePoint> result;
  for (size_t i = 0; i < points.size(); ++i) {
    const size_t first = i - std::min(i, reach), end = std::min(i + reach + 1, points.size());
    result.push_back({points[i].x, (sums[end] - sums[first]) / static_cast<double>(end - first)});
  }
  return result;
}

double quantile(const std::vector<CurvePoint>& points, double share) {
  if (points.empty()) return 0;
  std::vector<double> values;
  for (const CurvePoint& point : points) values.push_back(point.y);
  const double place = std::ceil(share * static_cast<double>(values.size())) - 1;
  const auto index = static_cast<std::ptrdiff_t>(std::max(place, 0.0));
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<size_t>(index)];
}

}  // namespace mrcnn
