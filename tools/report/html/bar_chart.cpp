#include "tools/report/html/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tools/report/html/chart_frame.h"

namespace mrcnn {

std::string draw_bar_chart(const BarChart& chart) {
  const size_t bars = chart.layers.empty() ? 0 : chart.layers.front().counts.size();
  ChartFrame::Texts texts{.description = chart.title,
                          .x_label = chart.x_label,
                          .y_label = chart.y_label,
                          .legend = {},
                          .bars = true};
  std::vector<int64_t> totals(bars, 0);
  for (const BarLayer& layer : chart.layers) {
    texts.legend.push_back(layer.name);
    const int64_t sum = std::accumulate(layer.counts.begin(), layer.counts.end(), int64_t{0});
    texts.description += fmt::format("; {}: {}", layer.name, sum);
    for (size_t i = 0; i < bars; ++i) totals[i] += layer.counts[i];
  }
  const int64_t most = bars == 0 ? 0 : *std::max_element(totals.begin(), totals.end());
  ChartFrame frame(
      texts, make_axis(chart.low, chart.high, 6, AxisEnds::kExact),
      make_axis(0, static_cast<double>(std::max<int64_t>(most, 1)), 6, AxisEnds::kRound));
  const double width = (chart.high - chart.low) / static_cast<double>(bars);
  for (size_t i = 0; i < bars; ++i) {
    const double from = chart.low + width * static_cast<double>(i), to = from + width;
    std::vector<std::string> lines{fmt::format("{} {:.3g} to {:.3g}", chart.x_label, from, to)};
    double below = 0;
    for (size_t k = 0; k < chart.layers.size(); ++k) {
      const int64_t count = chart.layers[k].counts[i];
      lines.push_back(fmt::format("{}: {}", chart.layers[k].name, count));
      if (count == 0) continue;
      const double above = below + static_cast<double>(count);
      frame.add(fmt::format(
          "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
          colour_class(k), frame.x(from) + 0.5, frame.y(above),
          std::max(frame.x(to) - frame.x(from) - 1, 0.5), frame.y(below) - frame.y(above)));
      below = above;
    }
    frame.add_strip(from, to, lines);
  }
  return frame.finish();
}

}  // namespace mrcnn
