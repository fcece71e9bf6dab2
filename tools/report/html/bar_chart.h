// A histogram as inline SVG: bars of equal width, stacked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mrcnn {

struct BarLayer {
  std::string name;
  std::vector<int64_t> counts;  // one a bar, as many in every layer
};

struct BarChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  double low = 0;  // of the first bar
  double high = 1;
  std::vector<BarLayer> layers;  // from the axis up
};

std::string draw_bar_chart(const BarChart& chart);

}  // namespace mrcnn
