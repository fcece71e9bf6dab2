#include "tools/report/html/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/report/html/chart_frame.h"

namespace mrcnn {
namespace {

constexpr size_t kMostPoints = 300;  // of a line
constexpr size_t kMostDots = 40;     // longer lines have none
constexpr size_t kMostStrips = 100;
constexpr size_t kLeastToSmooth = 20;  // points

struct Range {
  double low = 0;
  double high = 0;
};

Range range_of_x(const LineChart& chart) {
  Range range{INFINITY, -INFINITY};
  for (const ChartLine& line : chart.lines) {
    for (const CurvePoint& point : line.points) {
      range = {std::min(range.low, point.x), std::max(range.high, point.x)};
    }
  }
  range.low = std::min(range.low, 0.0);
  if (chart.x_high) range.high = *chart.x_high;
  return range;
}

Range range_of_y(const LineChart& chart) {
  constexpr double kUsual = 0.97, kRoom = 1.6;  // chosen by eye
  Range range;
  double usual = 0;
  for (const ChartLine& line : chart.lines) {
    for (const CurvePoint& point : line.points) {
      range = {std::min(range.low, point.y), std::max(range.high, point.y)};
    }
    usual = std::max(usual, quantile(line.points, kUsual));
  }
  if (chart.noisy && usual > 0) range.high = std::min(range.high, kRoom * usual);
  if (chart.y_high) range.high = *chart.y_high;
  return range;
}

std::string path(const ChartFrame& frame, const std::vector<CurvePoint>& points) {
  std::string d;
  for (const CurvePoint& point : points) {
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", frame.x(point.x), frame.y(point.y));
  }
  return d;
}

void draw_line(ChartFrame& frame, const std::vector<CurvePoint>& points, size_t index, bool noisy) {
  const std::string colour = colour_class(index);
  if (noisy && points.size() >= kLeastToSmooth) {
    frame.add(fmt::format("<path class=\"line faint {}\" d=\"{}\"/>", colour,
                          path(frame, thinned(points, kMostPoints))));
    const std::vector<CurvePoint> means = smoothed(points, points.size() / kLeastToSmooth);
    frame.add(fmt::format("<path class=\"line {}\" d=\"{}\"/>", colour,
                          path(frame, thinned(means, kMostPoints))));
    return;
  }
  frame.add(fmt::format("<path class=\"line {}\" d=\"{}\"/>", colour,
                        path(frame, thinned(points, kMostPoints))));
  if (points.size() > kMostDots) return;
  for (const CurvePoint& point : points) {
    frame.add(fmt::format("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>",
                          colour, frame.x(point.x), frame.y(point.y)));
  }
}

const CurvePoint* nearest(const std::vector<CurvePoint>& points, double x) {
  const CurvePoint* best = nullptr;
  for (const CurvePoint& point : points) {
    if (best == nullptr || std::abs(point.x - x) < std::abs(best->x - x)) best = &point;
  }
  return best;
}

// A strip around every x of the longest line, or around every second or third.
void add_strips(ChartFrame& frame, const LineChart& chart) {
  const auto longest = std::max_element(
      chart.lines.begin(), chart.lines.end(),
      [](const ChartLine& a, const ChartLine& b) { return a.points.size() < b.points.size(); });
  const size_t every = longest->points.size() / kMostStrips + 1;
  std::vector<double> places;
  for (size_t i = every - 1; i < longest->points.size(); i += every) {
    places.push_back(longest->points[i].x);
  }
  for (size_t i = 0; i < places.size(); ++i) {
    const double x = places[i];
    const double before = i > 0 ? (places[i - 1] + x) / 2 : x - 1e9;
    const double after = i + 1 < places.size() ? (x + places[i + 1]) / 2 : x + 1e9;
    std::vector<std::string> texts{fmt::format("{} {}", chart.x_label, fmt::format("{:.6g}", x))};
    for (const ChartLine& line : chart.lines) {
      const CurvePoint* point = nearest(line.points, x);
      if (point == nullptr || point->x < before || point->x > after) continue;
      texts.push_back(fmt::format("{}: {}", line.name, short_number(point->y)));
    }
    frame.add_strip(before, after, texts);
  }
}

}  // namespace

bool has_points(const LineChart& chart) {
  return std::any_of(chart.lines.begin(), chart.lines.end(),
                     [](const ChartLine& line) { return !finite_points(line.points).empty(); });
}

std::string draw_line_chart(const LineChart& original) {
  LineChart chart = original;
  ChartFrame::Texts texts{.description = chart.title,
                          .x_label = chart.x_label,
                          .y_label = chart.y_label,
                          .legend = {},
                          .bars = false};
  for (ChartLine& line : chart.lines) {
    line.points = finite_points(line.points);
    if (chart.lines.size() > 1) texts.legend.push_back(line.name);
    if (line.points.empty()) continue;
    texts.description +=
        fmt::format("; {}: last {}", line.name, short_number(line.points.back().y));
  }
  if (!has_points(chart)) return ChartFrame(texts, Axis{}, Axis{}).finish();
  const Range x = range_of_x(chart), y = range_of_y(chart);
  ChartFrame frame(texts, make_axis(x.low, x.high, 6, AxisEnds::kExact),
                   make_axis(y.low, y.high, 7, AxisEnds::kRound));
  for (size_t i = chart.lines.size(); i-- > 0;) {  // the first one on top
    draw_line(frame, chart.lines[i].points, i, chart.noisy);
  }
  add_strips(frame, chart);
  return frame.finish();
}

}  // namespace mrcnn
