#include "tools/dataset/stats_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "tools/draw/bar_chart.h"
#include "tools/draw/text.h"

namespace mrcnn {
namespace {

constexpr size_t kMostClasses = 40;
constexpr int64_t kMargin = 40;
constexpr int64_t kWidth = 1800;
constexpr int64_t kLeftWidth = 820;
constexpr int64_t kColumnsHeight = 330;
// Three steps of one hue: light for small objects, dark for large ones.
constexpr RgbColour kSmall{147, 197, 253};
constexpr RgbColour kMedium{59, 130, 246};
constexpr RgbColour kLarge{30, 64, 175};
constexpr RgbColour kOther{20, 148, 132};

std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

BarChart class_chart(const DatasetStats& stats) {
  std::vector<ClassCounts> classes = stats.classes;
  std::stable_sort(classes.begin(), classes.end(), [](const ClassCounts& a, const ClassCounts& b) {
    return a.objects > b.objects;
  });
  const size_t shown = std::min(classes.size(), kMostClasses);
  BarChart chart{.title = "Objects by class",
                 .bars = {},
                 .colours = {kSmall, kMedium, kLarge},
                 .parts = {"small", "medium", "large"}};
  if (shown < classes.size()) {
    chart.title += fmt::format(", first {} of {}", shown, classes.size());
  }
  for (size_t i = 0; i < shown; ++i) {
    const ClassCounts& one = classes[i];
    chart.bars.push_back({.name = one.name,
                          .parts = {static_cast<double>(one.small), static_cast<double>(one.medium),
                                    static_cast<double>(one.large)},
                          .value = grouped(one.objects)});
  }
  return chart;
}

BarChart histogram_chart(const std::string& title, const std::vector<HistogramBin>& bins,
                         const RgbColour& colour) {
  BarChart chart{.title = title, .bars = {}, .colours = {colour}, .parts = {}};
  for (const HistogramBin& bin : bins) {
    chart.bars.push_back(
        {.name = bin.name, .parts = {static_cast<double>(bin.count)}, .value = grouped(bin.count)});
  }
  return chart;
}

void draw_heading(Canvas& canvas, const DatasetStats& stats, const ChartStyle& style) {
  const std::string name = std::filesystem::path(stats.name).filename().string();
  draw_text(canvas, kMargin, kMargin, fit_text(name, kWidth - 2 * kMargin, 3), 3, style.ink);
  const double each =
      static_cast<double>(stats.objects) / static_cast<double>(std::max<int64_t>(stats.images, 1));
  const std::string facts = fmt::format(
      "{} images of {} to {} x {} to {} pixels, {} without objects; {} objects, {:.1f} an image; "
      "{} "
      "crowds",
      grouped(stats.images), stats.min_width, stats.max_width, stats.min_height, stats.max_height,
      grouped(stats.images_without_objects), grouped(stats.objects), each, grouped(stats.crowds));
  draw_text(canvas, kMargin + 50, kMargin, facts, style.scale, style.faint);
}

}  // namespace

Tensor draw_stats(const DatasetStats& stats) {
  const ChartStyle style;
  const BarChart classes = class_chart(stats);
  const int64_t top = kMargin + 110;
  const int64_t right_height = 2 * kColumnsHeight + kMargin;
  const int64_t height = top + std::max(bars_height(classes, style), right_height) + kMargin;
  Tensor picture = Tensor::empty({height, kWidth, 3}, DType::kU8);
  std::fill_n(picture.data<uint8_t>(), picture.numel(), uint8_t{255});
  Canvas canvas(picture);
  draw_heading(canvas, stats, style);
  draw_bars(canvas, {top, kMargin, height - kMargin, kLeftWidth}, classes, style);
  const int64_t left = kLeftWidth + 2 * kMargin;
  const int64_t right = kWidth - kMargin;
  draw_columns(canvas, {top, left, top + kColumnsHeight, right},
               histogram_chart("Objects by side, pixels (root of the area)", stats.sides, kMedium),
               style);
  const int64_t second = top + kColumnsHeight + kMargin;
  draw_columns(canvas, {second, left, second + kColumnsHeight, right},
               histogram_chart("Images by number of objects", stats.objects_in_image, kOther),
               style);
  return picture;
}

}  // namespace mrcnn
