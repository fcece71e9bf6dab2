// A chart of lines as inline SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/report/html/curve.h"

namespace mrcnn {

struct ChartLine {
  std::string name;
  std::vector<CurvePoint> points;  // by ascending x
};

struct LineChart {
  std::string title;
  std::string x_label;  // also what a value of x is called: "step 100"
  std::string y_label;
  std::vector<ChartLine> lines;
  std::optional<double> x_high;  // else the data's
  std::optional<double> y_high;  // else the data's; y begins at 0 unless there are lower values
  // For noisy data: a line of means over the faint line of values, and a few values far above all
  // others do not press the rest flat but are drawn at the upper edge.
  bool noisy = false;
};

// Whether there is anything to draw.
bool has_points(const LineChart& chart);

// Points that are not finite are left out; of long lines a few hundred points are drawn.
std::string draw_line_chart(const LineChart& chart);

}  // namespace mrcnn
