#include "data/doctor/clip_polygon.h"

#include <array>
#include <cstddef>

namespace mrcnn {
namespace {

// Keeps what has sign * coordinate[axis] <= limit.
std::vector<double> cut(const std::vector<double>& corners, size_t axis, double sign,
                        double limit) {
  std::vector<double> kept;
  const auto inside = [&](size_t i) { return sign * corners[i + axis] <= limit; };
  for (size_t i = 0; i < corners.size(); i += 2) {
    const size_t next = (i + 2) % corners.size();
    if (inside(i)) kept.insert(kept.end(), {corners[i], corners[i + 1]});
    if (inside(i) == inside(next)) continue;
    const double border = sign * limit;
    const double part = (border - corners[i + axis]) / (corners[next + axis] - corners[i + axis]);
    const size_t other = 1 - axis;
    std::array<double, 2> crossing{};
    crossing[axis] = border;
    crossing[other] = corners[i + other] + part * (corners[next + other] - corners[i + other]);
    kept.insert(kept.end(), crossing.begin(), crossing.end());
  }
  return kept;
}

}  // namespace

std::vector<double> clip_polygon(std::span<const double> corners, double height, double width) {
  std::vector<double> kept(corners.begin(), corners.end());
  kept = cut(kept, 0, -1, 0);
  kept = cut(kept, 0, 1, width);
  kept = cut(kept, 1, -1, 0);
  kept = cut(kept, 1, 1, height);
  if (kept.size() < 6) kept.clear();
  return kept;
}

}  // namespace mrcnn
