#include "tools/draw/label_layout.h"

#include <array>
#include <cstdlib>
#include <limits>

namespace mrcnn {
namespace {

// Where to try, best first: a corner of the label is put on a corner of the object.
std::array<PixelRect, 9> candidates(const LabelRequest& request) {
  const PixelRect& box = request.object;
  const int64_t h = request.height;
  const int64_t w = request.width;
  const auto at = [h, w](int64_t y, int64_t x) { return PixelRect{y, x, y + h, x + w}; };
  const int64_t middle = box.x0 + (box.width() - w) / 2;
  return {at(box.y0 - h, box.x0),      // above, left
          at(box.y0, box.x0),          // inside, upper left
          at(box.y0 - h, box.x1 - w),  // above, right
          at(box.y1, box.x0),          // below, left
          at(box.y0, box.x1 - w),      // inside, upper right
          at(box.y1 - h, box.x0),      // inside, lower left
          at(box.y0, box.x1),          // beside, right
          at(box.y0, box.x0 - w),      // beside, left
          at(box.y0 + box.height() / 2 - h / 2, middle)};
}

PixelRect move_inside(const PixelRect& rect, const PixelRect& picture) {
  const int64_t y = std::clamp(rect.y0, picture.y0, picture.y1 - rect.height());
  const int64_t x = std::clamp(rect.x0, picture.x0, picture.x1 - rect.width());
  return {y, x, y + rect.height(), x + rect.width()};
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

struct Cost {
  double hidden_labels = 0;   // 1: as much as a whole label
  double hidden_objects = 0;  // 1: as much as a whole object, other than the label's own
  double total = 0;
};

// The weights order what matters: another label must stay readable; then small objects, of which a
// label hides a large share, must stay visible; the order of the places decides the rest.
Cost cost_of(const PixelRect& place, const PixelRect& wanted, size_t rank, size_t self,
             std::span<const LabelRequest> requests, std::span<const PixelRect> placed) {
  constexpr double kHiddenLabel = 6.0;
  constexpr double kHiddenObject = 2.0;
  constexpr double kHiddenSelf = 1.0;
  constexpr double kRank = 0.03;
  constexpr double kMoved = 0.5;
  Cost cost;
  for (const PixelRect& other : placed) {
    cost.hidden_labels +=
        share(place.intersect(other).area(), std::min(place.area(), other.area()));
  }
  cost.total = kHiddenLabel * cost.hidden_labels + kRank * static_cast<double>(rank);
  for (size_t i = 0; i < requests.size(); ++i) {
    const PixelRect& object = requests[i].object;
    const double hidden = share(place.intersect(object).area(), object.area());
    if (i != self) cost.hidden_objects += hidden;
    if (i == self) cost.total += kHiddenSelf * hidden;
  }
  cost.total += kHiddenObject * cost.hidden_objects;
  const int64_t moved = std::abs(place.y0 - wanted.y0) + std::abs(place.x0 - wanted.x0);
  cost.total += kMoved * share(moved, place.height());
  return cost;
}

}  // namespace

std::vector<std::optional<PixelRect>> place_labels(std::span<const LabelRequest> requests,
                                                   const PixelRect& picture) {
  // Beyond these a label takes away more than it tells.
  constexpr double kMostHiddenLabels = 0.15;
  constexpr double kMostHiddenObjects = 1.0;
  std::vector<std::optional<PixelRect>> result(requests.size());
  std::vector<PixelRect> placed;
  for (size_t i = 0; i < requests.size(); ++i) {
    const LabelRequest& request = requests[i];
    if (request.height < 1 || request.width < 1 || request.height > picture.height() ||
        request.width > picture.width()) {
      continue;
    }
    PixelRect best;
    Cost least{.total = std::numeric_limits<double>::infinity()};
    const auto places = candidates(request);
    for (size_t rank = 0; rank < places.size(); ++rank) {
      const PixelRect inside = move_inside(places[rank], picture);
      const Cost cost = cost_of(inside, places[rank], rank, i, requests, placed);
      if (cost.total < least.total) {
        least = cost;
        best = inside;
      }
    }
    if (least.hidden_labels > kMostHiddenLabels || least.hidden_objects > kMostHiddenObjects) {
      continue;
    }
    placed.push_back(best);
    result[i] = best;
  }
  return result;
}

}  // namespace mrcnn
