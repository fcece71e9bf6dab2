#include "tools/report/html/evaluation_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/report/html/bar_chart.h"
#include "tools/report/html/chart_frame.h"
#include "tools/report/html/line_chart.h"

namespace mrcnn {
namespace {

constexpr size_t kAllSizes = 0;
constexpr size_t kAt50 = 0, kAt75 = 5;  // thresholds

std::string capital(std::string_view name) {
  std::string text(name);
  if (text == "box") text = "Box";
  if (text == "mask") text = "Mask";
  return text;
}

double precision_of(const CocoCurves& curves, size_t k, size_t t, size_t r) {
  return curves.precision(t, r, k, kAllSizes, kNumLimits - 1);
}

std::vector<size_t> classes_with_objects(const CocoCurves& curves) {
  std::vector<size_t> classes;
  for (size_t k = 0; k < curves.categories().size(); ++k) {
    if (curves.num_truths(k, kAllSizes) > 0) classes.push_back(k);
  }
  return classes;
}

// The mean over classes and thresholds [first, last).
std::vector<CurvePoint> mean_curve(const CocoCurves& curves, size_t first, size_t last) {
  const std::array<double, kNumRecalls> recalls = coco_recalls();
  const std::vector<size_t> classes = classes_with_objects(curves);
  std::vector<CurvePoint> points;
  for (size_t r = 0; r < kNumRecalls && !classes.empty(); ++r) {
    double sum = 0;
    for (const size_t k : classes) {
      for (size_t t = first; t < last; ++t) sum += precision_of(curves, k, t, r);
    }
    points.push_back({recalls[r], sum / static_cast<double>(classes.size() * (last - first))});
  }
  return points;
}

LineChart precision_chart(std::string title) {
  LineChart chart;
  chart.title = std::move(title);
  chart.x_label = "recall";
  chart.y_label = "precision";
  chart.x_high = 1;
  chart.y_high = 1;
  return chart;
}

}  // namespace

PageFigure precision_recall_figure(const NamedCurves& curves) {
  LineChart chart = precision_chart(capital(curves.name) + ": precision by recall");
  chart.lines.push_back({"IoU 0.50", mean_curve(curves.curves, kAt50, kAt50 + 1)});
  chart.lines.push_back({"IoU 0.75", mean_curve(curves.curves, kAt75, kAt75 + 1)});
  chart.lines.push_back({"mean 0.50 to 0.95", mean_curve(curves.curves, 0, kNumIouThresholds)});
  return {chart.title, draw_line_chart(chart)};
}

std::optional<PageFigure> class_precision_figure(std::span<const DatasetClass> classes,
                                                 const NamedCurves& curves) {
  std::vector<size_t> chosen = classes_with_objects(curves.curves);
  if (chosen.size() < 2) return std::nullopt;
  const bool some = chosen.size() > kNumChartColours;
  if (some) {
    std::stable_sort(chosen.begin(), chosen.end(), [&](size_t a, size_t b) {
      return curves.curves.num_truths(a, kAllSizes) > curves.curves.num_truths(b, kAllSizes);
    });
    chosen.resize(kNumChartColours);
  }
  LineChart chart = precision_chart(fmt::format("{}: {} at IoU 0.50", capital(curves.name),
                                                some ? "the most frequent classes" : "classes"));
  const std::array<double, kNumRecalls> recalls = coco_recalls();
  for (const size_t k : chosen) {
    ChartLine line{class_name(classes, curves.curves.categories()[k]), {}};
    for (size_t r = 0; r < kNumRecalls; ++r) {
      line.points.push_back({recalls[r], precision_of(curves.curves, k, kAt50, r)});
    }
    chart.lines.push_back(std::move(line));
  }
  return PageFigure{chart.title, draw_line_chart(chart)};
}

PageFigure score_histogram_figure(std::string_view name, const MatchTable& matches) {
  constexpr size_t kBars = 20;
  BarChart chart;
  chart.title = capital(name) + ": detections by score at IoU 0.50";
  chart.x_label = "score";
  chart.y_label = "detections";
  chart.layers = {{"right", std::vector<int64_t>(kBars, 0)},
                  {"wrong", std::vector<int64_t>(kBars, 0)}};
  for (const ClassMatches& one : matches.classes) {
    for (const MatchedDetection& detection : one.detections) {
      const double place = std::clamp(detection.score, 0.0, 1.0) * static_cast<double>(kBars);
      const size_t bar = std::min(static_cast<size_t>(place), kBars - 1);
      if ((detection.ignored[kAllSizes] & 1U << kAt50) != 0) continue;
      const bool right = (detection.matched[kAllSizes] & 1U << kAt50) != 0;
      ++chart.layers[right ? 0 : 1].counts[bar];
    }
  }
  return {chart.title, draw_bar_chart(chart)};
}

}  // namespace mrcnn
