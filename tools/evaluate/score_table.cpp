#include "tools/evaluate/score_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

struct CocoLine {
  std::string_view overlap;
  std::string_view sizes;
  int limit;
};
// In the order of kCocoMetrics.
constexpr std::array<CocoLine, 12> kLines = {{{"0.50:0.95", "all", 100},
                                              {"0.50", "all", 100},
                                              {"0.75", "all", 100},
                                              {"0.50:0.95", "small", 100},
                                              {"0.50:0.95", "medium", 100},
                                              {"0.50:0.95", "large", 100},
                                              {"0.50:0.95", "all", 1},
                                              {"0.50:0.95", "all", 10},
                                              {"0.50:0.95", "all", 100},
                                              {"0.50:0.95", "small", 100},
                                              {"0.50:0.95", "medium", 100},
                                              {"0.50:0.95", "large", 100}}};

constexpr std::array<size_t, 7> kClassColumns = {0, 1, 2, 3, 4, 5, 8};  // of kCocoMetrics

std::string shown(double value) { return value < 0 ? "-" : fmt::format("{:.3f}", value); }

std::string shown(const Interval& interval) {
  return interval.low < 0 ? "-" : fmt::format("[{:.3f}, {:.3f}]", interval.low, interval.high);
}

}  // namespace

std::string format_coco_table(const CocoValues& values) {
  std::string text;
  for (size_t i = 0; i < kLines.size(); ++i) {
    const bool precision = kCocoMetrics[i].starts_with("AP");
    text +=
        fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6} | maxDets={:>3} ] = {:0.3f}\n",
                    precision ? "Average Precision" : "Average Recall", precision ? "(AP)" : "(AR)",
                    kLines[i].overlap, kLines[i].sizes, kLines[i].limit, values[i]);
  }
  return text;
}

std::string format_intervals(const CocoValues& values, const CocoIntervals& intervals) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    text +=
        fmt::format(" {:<6} {:>5} {}\n", kCocoMetrics[i], shown(values[i]), shown(intervals[i]));
  }
  return text;
}

std::string format_voc(const VocAp& voc) {
  return fmt::format(" VOC AP at IoU 0.50: {} (2012), {} (2007)\n", shown(voc.ap_2012),
                     shown(voc.ap_2007));
}

std::string format_class_table(const Scores& scores) {
  int64_t width = 5;
  for (const ClassScores& one : scores.classes) {
    width = std::max(width, count_code_points(printable(one.name)));
  }
  std::string text = fmt::format("{:<{}} {:>8} {:>8}", "class", width, "objects", "found");
  for (const size_t i : kClassColumns) text += fmt::format(" {:>6}", kCocoMetrics[i]);
  if (scores.voc) text += fmt::format(" {:>6} {:>6}", "VOC12", "VOC07");
  if (scores.intervals) text += fmt::format(" {:>14}", "AP within");
  text += '\n';
  for (const ClassScores& one : scores.classes) {
    text += fmt::format("{:<{}} {:>8} {:>8}", printable(one.name), width, one.num_truths,
                        one.num_detections);
    for (const size_t i : kClassColumns) text += fmt::format(" {:>6}", shown(one.values[i]));
    if (one.voc) {
      text += fmt::format(" {:>6} {:>6}", shown(one.voc->ap_2012), shown(one.voc->ap_2007));
    }
    if (one.ap_interval) text += fmt::format(" {:>14}", shown(*one.ap_interval));
    text += '\n';
  }
  return text;
}

}  // namespace mrcnn
