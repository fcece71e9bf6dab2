#include "data/masks/polygon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

// The reference moves corners to a grid of kFine points per pixel and walks along each edge point
// by point, one step at a time in the direction in which the edge is longer. Where the walk passes
// from grid column c = kFine * x + kMiddle to its neighbour c + 1, the outline crosses the middle
// of pixel column x, and the mask changes from the row of that point on downwards.
constexpr int64_t kFine = 5;
constexpr int64_t kMiddle = 2;

struct Point {
  int64_t x;
  int64_t y;
};

// Towards zero, as a C cast does it: below zero that is not the nearest grid point.
int64_t truncate(double value) { return static_cast<int64_t>(value); }

int64_t to_grid(double coordinate) {
  if (!(std::abs(coordinate) <= kMaxPolygonCoordinate)) {
    throw Error(ExitCode::kData,
                fmt::format("[polygon] coordinate {} is not a number of pixels", coordinate));
  }
  return truncate(static_cast<double>(kFine) * coordinate + 0.5);
}

// Positions in column-major order at which the mask changes.
class Crossings {
 public:
  Crossings(int64_t height, int64_t width) : height_(height), width_(width) {}

  int64_t width() const { return width_; }

  // The outline crosses the middle of pixel column x at this row of the grid.
  void add(int64_t x, int64_t grid_row) {
    const int64_t row = grid_row <= kMiddle ? 0 : (grid_row - kMiddle + kFine - 1) / kFine;
    positions_.push_back(x * height_ + std::min(row, height_));
    columns_.push_back(static_cast<uint32_t>(x));
    if (positions_.size() >= limit_) {
      cancel_pairs();
      limit_ = std::max(limit_, 2 * positions_.size());
      columns_.clear();
      for (const int64_t position : positions_) {
        columns_.push_back(static_cast<uint32_t>(position / height_));
      }
    }
  }

  Rle to_rle() && {
    cancel_pairs();
    Rle rle{height_, width_, {}};
    rle.counts.reserve(positions_.size() + 1);
    int64_t done = 0;
    for (const int64_t position : positions_) {
      if (position == height_ * width_) break;
      rle.counts.push_back(static_cast<uint32_t>(position - done));
      done = position;
    }
    rle.counts.push_back(static_cast<uint32_t>(height_ * width_ - done));
    return rle;
  }

 private:
  // Two changes at one position are none. Keeps memory in proportion to the image, whatever the
  // polygon.
  void cancel_pairs() {
    sort_positions();
    size_t kept = 0;
    for (size_t i = 0; i < positions_.size(); ++i) {
      if (kept > 0 && positions_[kept - 1] == positions_[i]) {
        --kept;
      } else {
        positions_[kept++] = positions_[i];
      }
    }
    positions_.resize(kept);
  }

  // By column first, which leaves next to nothing to sort: an outline crosses most columns twice.
  // The end of a column is the beginning of the next one, so these may be equal.
  void sort_positions() {
    if (positions_.empty()) return;
    const auto [least, most] = std::minmax_element(columns_.begin(), columns_.end());
    const size_t first = *least, num_columns = *most - first + 1;
    if (num_columns > positions_.size()) {
      std::sort(positions_.begin(), positions_.end());
      return;
    }
    std::vector<uint32_t> ends(num_columns + 1, 0);
    for (const uint32_t column : columns_) ++ends[column - first + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<int64_t> sorted(positions_.size());
    for (size_t i = 0; i < positions_.size(); ++i)
      sorted[ends[columns_[i] - first]++] = positions_[i];
    uint32_t begin = 0;
    for (size_t column = 0; column < num_columns; ++column) {
      const uint32_t end = ends[column];
      if (end - begin == 2) {
        if (sorted[begin] > sorted[begin + 1]) std::swap(sorted[begin], sorted[begin + 1]);
      } else if (end - begin > 2) {
        std::sort(sorted.begin() + begin, sorted.begin() + end);
      }
      begin = end;
    }
    positions_ = std::move(sorted);
  }

  int64_t height_;
  int64_t width_;
  size_t limit_ = size_t{1} << 20;
  std::vector<int64_t> positions_;
  std::vector<uint32_t> columns_;  // of positions_, until these are sorted
};

// Pixel columns whose middle lies in grid columns [begin, end).
std::pair<int64_t, int64_t> columns_between(int64_t begin, int64_t end, int64_t width) {
  const auto first_at_or_after = [width](int64_t grid_column) {
    if (grid_column <= kMiddle) return int64_t{0};
    return std::min(width, (grid_column - kMiddle + kFine - 1) / kFine);
  };
  return {first_at_or_after(begin), first_at_or_after(end)};
}

// One step of the walk per grid column.
void cross_flat_edge(Point a, Point b, Crossings& crossings) {
  if (a.x > b.x) std::swap(a, b);
  const double slope = static_cast<double>(b.y - a.y) / static_cast<double>(b.x - a.x);
  const auto row_at = [&](int64_t step) {
    return truncate(static_cast<double>(a.y) + slope * static_cast<double>(step) + 0.5);
  };
  const auto [first, last] = columns_between(a.x, b.x, crossings.width());
  for (int64_t x = first; x < last; ++x) {
    const int64_t step = kFine * x + kMiddle - a.x;
    crossings.add(x, std::min(row_at(step), row_at(step + 1)));
  }
}

// One step of the walk per grid row; the step that leaves a column is found from the slope, and
// corrected by what the walk's own rounding says.
void cross_steep_edge(Point a, Point b, Crossings& crossings) {
  if (a.y > b.y) std::swap(a, b);
  const int64_t num_steps = b.y - a.y;
  const double slope = static_cast<double>(b.x - a.x) / static_cast<double>(num_steps);
  const auto column_at = [&](int64_t step) {
    return truncate(static_cast<double>(a.x) + slope * static_cast<double>(step) + 0.5);
  };
  const bool rightward = b.x > a.x;
  const auto [first, last] =
      columns_between(std::min(a.x, b.x), std::max(a.x, b.x), crossings.width());
  for (int64_t x = first; x < last; ++x) {
    const int64_t left = kFine * x + kMiddle;
    // Whether the walk has passed the border between `left` and its right neighbour.
    const auto passed = [&](int64_t step) { return (column_at(step) > left) == rightward; };
    const double estimate = (static_cast<double>(left - a.x) + 0.5) / slope;
    int64_t step = std::clamp(truncate(estimate), int64_t{1}, num_steps);
    while (step > 1 && passed(step - 1)) --step;
    while (step < num_steps && !passed(step)) ++step;
    crossings.add(x, a.y + step - 1);
  }
}

}  // namespace

Rle rle_from_polygon(std::span<const double> corners, int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height > kMaxRlePixels / width) {
    throw Error(ExitCode::kData,
                fmt::format("[polygon] mask size {}x{} is not between 1x1 and {} pixels", width,
                            height, kMaxRlePixels));
  }
  std::vector<Point> points;
  points.reserve(corners.size() / 2 + 1);
  for (size_t i = 0; i + 1 < corners.size(); i += 2) {
    points.push_back({to_grid(corners[i]), to_grid(corners[i + 1])});
  }
  if (!points.empty()) points.push_back(points.front());
  Crossings crossings(height, width);
  for (size_t i = 1; i < points.size(); ++i) {
    const Point a = points[i - 1];
    const Point b = points[i];
    if (a.x == b.x) continue;
    if (std::abs(b.x - a.x) >= std::abs(b.y - a.y)) {
      cross_flat_edge(a, b, crossings);
    } else {
      cross_steep_edge(a, b, crossings);
    }
  }
  return std::move(crossings).to_rle();
}

Rle rle_from_polygons(std::span<const std::vector<double>> polygons, int64_t height,
                      int64_t width) {
  if (polygons.empty()) return rle_from_polygon({}, height, width);
  // What many large polygons hold together is put into one mask now and then, which bounds memory
  // by the image, whatever their number.
  constexpr size_t kMostRuns = size_t{1} << 20;
  size_t num_runs = 0, limit = kMostRuns;
  std::vector<Rle> masks;
  for (const std::vector<double>& polygon : polygons) {
    masks.push_back(rle_from_polygon(polygon, height, width));
    num_runs += masks.back().counts.size();
    if (num_runs < limit) continue;
    Rle merged = rle_merge(masks);
    num_runs = merged.counts.size();
    limit = std::max(kMostRuns, 2 * num_runs);
    masks.clear();
    masks.push_back(std::move(merged));
  }
  return masks.size() == 1 ? std::move(masks.front()) : rle_merge(masks);
}

}  // namespace mrcnn
