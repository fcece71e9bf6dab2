#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "tests/tools/report/html/page_checks.h"
#include "tools/report/html/bar_chart.h"
#include "tools/report/html/chart_file.h"
#include "tools/report/html/line_chart.h"

namespace mrcnn {
namespace {

using test::count_of;
using test::markup_problem;

LineChart two_lines() {
  LineChart chart;
  chart.title = "Loss";
  chart.x_label = "step";
  chart.y_label = "loss";
  chart.lines = {{"a < b", {{10, 2}, {20, 1.5}, {30, 1}}}, {"c", {{10, 0.5}, {30, 0.25}}}};
  return chart;
}

TEST_CASE("A line chart has lines, a legend, axes and values to rest on") {
  const std::string svg = draw_line_chart(two_lines());
  CAPTURE(svg);
  CHECK(markup_problem(svg) == "");
  CHECK(svg.find("aria-label=\"Loss; a &lt; b: last 1; c: last 0.25\"") != svg.npos);
  CHECK(count_of(svg, "<circle") == 5);
  CHECK(count_of(svg, "class=\"strip\"") == 3);
  CHECK(svg.find("<title>step 10\na &lt; b: 2\nc: 0.5</title>") != svg.npos);
  CHECK(svg.find("<title>step 20\na &lt; b: 1.5</title>") != svg.npos);
  CHECK(svg.find(">2.0</text>") != svg.npos);
  CHECK(svg.find(">30</text>") != svg.npos);
  // Step 10 of 30, the highest value at the highest tick.
  CHECK(svg.find("class=\"line s0\" d=\"M181.7 26.0L") != svg.npos);
}

TEST_CASE("Long lines are thinned, noisy ones smoothed and their peaks cut") {
  LineChart chart = two_lines();
  chart.noisy = true;
  chart.lines.resize(1);
  chart.lines[0].points.clear();
  for (int i = 0; i < 20000; ++i) {
    chart.lines[0].points.push_back({1.0 * i, 1 + 0.5 * std::sin(1.7 * i)});
  }
  chart.lines[0].points[5].y = 1000;
  const std::string svg = draw_line_chart(chart);
  CHECK(markup_problem(svg) == "");
  CHECK(svg.size() < 30000);
  CHECK(svg.find("faint") != svg.npos);
  CHECK(svg.find(">2.5</text>") != svg.npos);
  CHECK(svg.find(">1000</text>") == svg.npos);
  chart.noisy = false;
  CHECK(draw_line_chart(chart).find(">1000</text>") != svg.npos);
}

TEST_CASE("Nothing to draw is an empty chart") {
  LineChart chart = two_lines();
  chart.lines = {{"a", {{1, std::nan("")}}}, {"b", {}}};
  CHECK_FALSE(has_points(chart));
  CHECK(has_points(two_lines()));
  const std::string svg = draw_line_chart(chart);
  CHECK(markup_problem(svg) == "");
  CHECK(svg.find("nan") == svg.npos);
  CHECK(markup_problem(draw_line_chart({})) == "");
  chart.lines = {{"one point", {{7, 3}}}};
  CHECK(draw_line_chart(chart).find("<circle") != svg.npos);
}

TEST_CASE("Bars are stacked") {
  BarChart chart{.title = "Scores", .x_label = "score", .y_label = "detections", .layers = {}};
  chart.layers = {{"right", {0, 3}}, {"wrong", {2, 1}}};
  const std::string svg = draw_bar_chart(chart);
  CAPTURE(svg);
  CHECK(markup_problem(svg) == "");
  CHECK(svg.find("Scores; right: 3; wrong: 3") != svg.npos);
  CHECK(count_of(svg, "class=\"bar") == 2 + 3);  // two of the legend
  CHECK(svg.find("<title>score 0.5 to 1\nright: 3\nwrong: 1</title>") != svg.npos);
  CHECK(markup_problem(draw_bar_chart({})) == "");
}

TEST_CASE("Charts as a file of their own") {
  const std::string svg = draw_line_chart(two_lines());
  const std::string file = chart_file({{"Loss & more", svg}, {"Again", svg}});
  CHECK(markup_problem(file) == "");
  CHECK(file.starts_with("<svg xmlns="));
  CHECK(count_of(file, "<svg") == 3);
  CHECK(file.find("Loss &amp; more") != file.npos);
  CHECK(file.find("prefers-color-scheme: dark") != file.npos);
}

}  // namespace
}  // namespace mrcnn
