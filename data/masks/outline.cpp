#include "data/masks/outline.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>

namespace mrcnn {
namespace {

// A vertical stretch of foreground: rows [begin, end) of one column.
struct Stretch {
  int64_t x;
  int64_t begin;
  int64_t end;
  bool top_seen = false;     // its upper edge is on a traced outline
  bool bottom_seen = false;  // its lower edge likewise
};

// The mask as stretches, sorted by column and row, with the first stretch of each column.
class Stretches {
 public:
  explicit Stretches(const Rle& mask) : first_(static_cast<size_t>(mask.width) + 1, 0) {
    int64_t position = 0;
    for (size_t i = 0; i < mask.counts.size(); ++i) {
      const int64_t end = position + mask.counts[i];
      while (i % 2 == 1 && position < end) {
        const int64_t x = position / mask.height;
        const int64_t stop = std::min(end, (x + 1) * mask.height);
        list_.push_back({x, position - x * mask.height, stop - x * mask.height});
        position = stop;
      }
      position = end;
    }
    for (const Stretch& stretch : list_) ++first_[static_cast<size_t>(stretch.x) + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
  }

  std::span<Stretch> all() { return list_; }
  size_t index_of(const Stretch& stretch) const {
    return static_cast<size_t>(&stretch - list_.data());
  }
  std::span<Stretch> column(int64_t x) {
    if (x < 0 || x + 1 >= static_cast<int64_t>(first_.size())) return {};
    const size_t begin = first_[static_cast<size_t>(x)];
    return std::span(list_).subspan(begin, first_[static_cast<size_t>(x) + 1] - begin);
  }
  // The stretch that holds the pixel, or nullptr if it is background.
  Stretch* find(int64_t x, int64_t y) {
    const std::span<Stretch> stretches = column(x);
    const auto after =
        std::upper_bound(stretches.begin(), stretches.end(), y,
                         [](int64_t row, const Stretch& s) { return row < s.begin; });
    if (after == stretches.begin()) return nullptr;
    Stretch& candidate = *(after - 1);
    return y < candidate.end ? &candidate : nullptr;
  }

 private:
  std::vector<Stretch> list_;
  std::vector<size_t> first_;
};

struct Corner {
  int64_t x;
  int64_t y;
};

struct Ring {
  std::vector<Corner> corners;
  size_t stretch;  // one that borders on it, for telling its part
  bool is_hole;
};

// Follows pixel edges with the foreground on the right hand. Coming along a column boundary or a
// row boundary, it turns right where it can, which keeps parts that touch at a corner apart.
Ring trace(Stretches& stretches, int64_t start_x, int64_t start_y, bool eastward) {
  // Directions east, south, west, north; the pixels ahead on the right and on the left of a corner.
  constexpr int64_t kStepX[] = {1, 0, -1, 0};
  constexpr int64_t kStepY[] = {0, 1, 0, -1};
  constexpr int64_t kRightX[] = {0, -1, -1, 0};
  constexpr int64_t kRightY[] = {0, 0, -1, -1};
  constexpr int64_t kLeftX[] = {0, 0, -1, -1};
  constexpr int64_t kLeftY[] = {-1, 0, 0, -1};
  const size_t start_direction = eastward ? 0 : 2;
  Ring ring{{}, 0, !eastward};
  int64_t x = start_x;
  int64_t y = start_y;
  size_t direction = start_direction;
  do {
    // The edge just ahead has foreground on its right; mark it if it is horizontal.
    Stretch* right = stretches.find(x + kRightX[direction], y + kRightY[direction]);
    if (direction == 0) right->top_seen = true;
    if (direction == 2) right->bottom_seen = true;
    ring.stretch = stretches.index_of(*right);
    x += kStepX[direction];
    y += kStepY[direction];
    size_t next = direction;
    if (stretches.find(x + kRightX[direction], y + kRightY[direction]) == nullptr) {
      next = (direction + 1) % 4;
    } else if (stretches.find(x + kLeftX[direction], y + kLeftY[direction]) != nullptr) {
      next = (direction + 3) % 4;
    }
    if (next != direction) ring.corners.push_back({x, y});
    direction = next;
  } while (x != start_x || y != start_y || direction != start_direction);
  return ring;
}

// The 4-connected parts: for each stretch the index of its part's first stretch.
std::vector<size_t> label_parts(Stretches& stretches) {
  std::vector<size_t> parent(stretches.all().size());
  std::iota(parent.begin(), parent.end(), size_t{0});
  const auto root = [&parent](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (Stretch& stretch : stretches.all()) {
    for (Stretch& left : stretches.column(stretch.x - 1)) {
      if (left.begin >= stretch.end || stretch.begin >= left.end) continue;
      const size_t a = root(stretches.index_of(left));
      const size_t b = root(stretches.index_of(stretch));
      parent[std::max(a, b)] = std::min(a, b);
    }
  }
  for (size_t i = 0; i < parent.size(); ++i) parent[i] = root(i);
  return parent;
}

// Inserts the hole behind the outer corner nearest to the hole's first corner, with that corner and
// the hole's first one repeated, so that the slit is walked in both directions.
void bridge(std::vector<Corner>& outer, const std::vector<Corner>& hole) {
  size_t nearest = 0;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < outer.size(); ++i) {
    const int64_t dx = outer[i].x - hole[0].x;
    const int64_t dy = outer[i].y - hole[0].y;
    if (dx * dx + dy * dy < least) {
      least = dx * dx + dy * dy;
      nearest = i;
    }
  }
  std::vector<Corner> detour(hole);
  detour.push_back(hole[0]);
  detour.push_back(outer[nearest]);
  outer.insert(outer.begin() + static_cast<std::ptrdiff_t>(nearest) + 1, detour.begin(),
               detour.end());
}

Polygon to_polygon(const std::vector<Corner>& corners) {
  Polygon polygon;
  polygon.reserve(2 * corners.size());
  for (const Corner& corner : corners) {
    polygon.push_back(static_cast<float>(corner.x));
    polygon.push_back(static_cast<float>(corner.y));
  }
  return polygon;
}

}  // namespace

std::vector<Polygon> mask_outlines(const Rle& mask, HoleStyle holes) {
  Stretches stretches(mask);
  std::vector<Ring> rings;
  // The first edge met of an outer outline is an upper edge; of a hole it is a lower edge, that of
  // the pixel above the hole's first pixel.
  for (Stretch& stretch : stretches.all()) {
    if (!stretch.top_seen) rings.push_back(trace(stretches, stretch.x, stretch.begin, true));
    if (!stretch.bottom_seen) {
      rings.push_back(trace(stretches, stretch.x + 1, stretch.end, false));
    }
  }
  std::vector<Polygon> polygons;
  if (holes == HoleStyle::kSeparate) {
    for (const Ring& ring : rings) polygons.push_back(to_polygon(ring.corners));
    return polygons;
  }
  const std::vector<size_t> part = label_parts(stretches);
  std::vector<Ring*> outer_of(part.size(), nullptr);
  for (Ring& ring : rings) {
    if (!ring.is_hole) outer_of[part[ring.stretch]] = &ring;
  }
  for (const Ring& ring : rings) {
    if (ring.is_hole) bridge(outer_of[part[ring.stretch]]->corners, ring.corners);
  }
  for (const Ring& ring : rings) {
    if (!ring.is_hole) polygons.push_back(to_polygon(ring.corners));
  }
  return polygons;
}

}  // namespace mrcnn
