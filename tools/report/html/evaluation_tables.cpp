#include "tools/report/html/evaluation_tables.h"

#include <fmt/format.h>

#include <array>

namespace mrcnn {
namespace {

// Of kCocoMetrics, in words.
constexpr std::array<std::string_view, 12> kMeanings = {"AP: mean over IoU 0.50 to 0.95",
                                                        "AP50: IoU 0.50",
                                                        "AP75: IoU 0.75",
                                                        "APs: small objects",
                                                        "APm: medium objects",
                                                        "APl: large objects",
                                                        "AR1: recall, 1 an image",
                                                        "AR10: 10 an image",
                                                        "AR100: 100 an image",
                                                        "ARs: small objects",
                                                        "ARm: medium objects",
                                                        "ARl: large objects"};

PageCell interval_cell(const Interval& interval) {
  if (!(interval.low >= 0)) return {.text = "-"};
  return {.text = fmt::format("{:.3f} to {:.3f}", interval.low, interval.high)};
}

}  // namespace

PageCell precision_cell(double value) {
  if (!(value >= 0)) return {.text = "-"};
  return {.text = fmt::format("{:.3f}", value), .share = value};
}

PageTable coco_table(const std::string& caption, std::span<const NamedValues> values) {
  PageTable table{.caption = caption, .columns = {"Number"}, .rows = {}};
  bool any_voc = false;
  for (const NamedValues& one : values) {
    table.columns.push_back(one.name);
    if (one.intervals) table.columns.push_back(one.name + ", 95 %");
    any_voc = any_voc || one.voc.has_value();
  }
  for (size_t i = 0; i < kMeanings.size(); ++i) {
    std::vector<PageCell> row{{.text = std::string(kMeanings[i])}};
    for (const NamedValues& one : values) {
      row.push_back(precision_cell(one.values[i]));
      if (one.intervals) row.push_back(interval_cell((*one.intervals)[i]));
    }
    table.rows.push_back(std::move(row));
  }
  if (!any_voc) return table;
  for (const auto& [name, value] :
       {std::pair("PASCAL VOC's AP of 2012: IoU 0.50", &VocAp::ap_2012),
        std::pair("PASCAL VOC's AP of 2007: IoU 0.50", &VocAp::ap_2007)}) {
    std::vector<PageCell> row{{.text = name}};
    for (const NamedValues& one : values) {
      row.push_back(precision_cell(one.voc ? (*one.voc).*value : -1));
      if (one.intervals) row.push_back({.text = "-"});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

PageTable class_table(std::span<const DatasetClass> classes, std::span<const NamedCurves> curves) {
  PageTable table{.caption = "By class", .columns = {"Class", "Objects"}, .rows = {}};
  std::vector<CocoSummary> summaries;
  for (const NamedCurves& one : curves) {
    for (size_t i = 0; i < 3; ++i) {
      table.columns.push_back(fmt::format("{} {}", one.name, kCocoMetrics[i]));
    }
    summaries.push_back(summarize(one.curves));
  }
  const std::vector<int64_t>& categories = curves.front().curves.categories();
  for (size_t k = 0; k < categories.size(); ++k) {
    std::vector<PageCell> row{{.text = class_name(classes, categories[k])},
                              {.text = fmt::format("{}", curves.front().curves.num_truths(k, 0))}};
    for (const CocoSummary& summary : summaries) {
      const auto found = summary.classes.find(categories[k]);
      for (size_t i = 0; i < 3; ++i) {
        row.push_back(precision_cell(found == summary.classes.end() ? -1 : found->second[i]));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string class_name(std::span<const DatasetClass> classes, int64_t label) {
  for (const DatasetClass& one : classes) {
    if (one.label == label && !one.name.empty()) return one.name;
  }
  return fmt::format("class {}", label);
}

}  // namespace mrcnn
