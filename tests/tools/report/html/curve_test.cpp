#include "tools/report/html/curve.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace mrcnn {
namespace {

std::vector<CurvePoint> wave(size_t count) {
  std::vector<CurvePoint> points;
  for (size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i);
    points.push_back({x, std::sin(x * 0.7)});
  }
  return points;
}

TEST_CASE("Thinning keeps the ends, the order and every peak") {
  std::vector<CurvePoint> points = wave(10000);
  points[4321].y = 55;
  points[777].y = -44;
  for (const size_t limit : {4U, 5U, 50U, 301U}) {
    CAPTURE(limit);
    const std::vector<CurvePoint> few = thinned(points, limit);
    CHECK(few.size() <= limit);
    CHECK(few.size() >= limit / 2);
    CHECK(few.front() == points.front());
    CHECK(few.back() == points.back());
    const auto by_x = [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; };
    CHECK(std::is_sorted(few.begin(), few.end(), by_x));
    CHECK(std::count(few.begin(), few.end(), points[4321]) == 1);
    CHECK(std::count(few.begin(), few.end(), points[777]) == 1);
  }
  const std::vector<CurvePoint> short_line = wave(300);
  CHECK(thinned(short_line, 300) == short_line);
  CHECK(thinned({}, 4).empty());
}

TEST_CASE("A running mean takes the neighbours that are there") {
  const std::vector<CurvePoint> points{{0, 1}, {1, 4}, {2, 1}, {5, 7}, {6, 0}};
  const std::vector<CurvePoint> expected{{0, 2.5}, {1, 2}, {2, 4}, {5, 8.0 / 3}, {6, 3.5}};
  const std::vector<CurvePoint> means = smoothed(points, 1);
  REQUIRE(means.size() == expected.size());
  for (size_t i = 0; i < means.size(); ++i) {
    CHECK(means[i].x == expected[i].x);
    CHECK(means[i].y == doctest::Approx(expected[i].y));
  }
  CHECK(smoothed(points, 9)[2].y == doctest::Approx(13.0 / 5));
  CHECK(smoothed({}, 3).empty());
}

TEST_CASE("Points that are not finite are no points") {
  const double nan = std::nan("");
  CHECK(finite_points({{0, 1}, {1, nan}, {nan, 2}, {3, INFINITY}, {4, 5}}) ==
        std::vector<CurvePoint>{{0, 1}, {4, 5}});
}

TEST_CASE("Quantiles") {
  const std::vector<CurvePoint> points{{0, 3}, {1, 1}, {2, 2}, {3, 4}};
  CHECK(quantile(points, 0) == 1);
  CHECK(quantile(points, 0.5) == 2);
  CHECK(quantile(points, 1) == 4);
  CHECK(quantile({}, 0.5) == 0);
}

}  // namespace
}  // namespace mrcnn
