#include "tools/trainer/run_charts.h"

#include <algorithm>
#include <utility>

#include "models/mask_rcnn/training.h"
#include "tools/report/html/line_chart.h"

namespace mrcnn {
namespace {

using NamedColumns = std::vector<std::pair<std::string, std::string>>;  // name, name in the log

LineChart chart_of(const std::vector<LogRecord>& records, const std::string& title,
                   const std::string& y_label, const NamedColumns& columns) {
  LineChart chart;
  chart.title = title;
  chart.x_label = "step";
  chart.y_label = y_label;
  for (const auto& [name, column] : columns) {
    std::vector<CurvePoint> points = curve_of(records, column);
    std::erase_if(points,
                  [](const CurvePoint& point) { return point.y < 0; });  // -1: nothing to find
    chart.lines.push_back({name, std::move(points)});
  }
  return chart;
}

NamedColumns loss_parts() {
  NamedColumns parts;
  for (const std::string_view name : kLossNames) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    parts.emplace_back(words, "loss_" + std::string(name));
  }
  return parts;
}

}  // namespace

std::vector<PageFigure> run_charts(const RunLog& log) {
  std::vector<LineChart> charts{
      chart_of(log.training, "Loss", "loss", {{"loss", "loss"}}),
      chart_of(log.training, "Parts of the loss", "loss", loss_parts()),
      chart_of(log.evaluations, "Average precision", "AP",
               {{"mask AP", "mask_ap"},
                {"box AP", "box_ap"},
                {"mask AP50", "mask_ap50"},
                {"box AP50", "box_ap50"}}),
      chart_of(log.training, "Learning rate", "learning rate", {{"learning rate", "lr"}}),
      chart_of(log.training, "Speed", "images a second", {{"images a second", "images_per_s"}})};
  charts[0].noisy = charts[1].noisy = true;
  charts[2].y_high = 1;
  std::vector<PageFigure> figures;
  for (LineChart& chart : charts) {
    if (!has_points(chart)) continue;
    if (!log.training.empty()) chart.x_high = static_cast<double>(log.training.back().step);
    figures.push_back({chart.title, draw_line_chart(chart)});
  }
  return figures;
}

}  // namespace mrcnn
