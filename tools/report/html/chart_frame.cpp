#include "tools/report/html/chart_frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/report/html/markup.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr double kName = 22;  // left of the labels of ticks: the axis' name
constexpr double kRight = 14;
constexpr double kBelow = 42;          // tick labels and the axis' name
constexpr double kTickGap = 6;         // between a label and its axis
constexpr double kLegendRow = 18;      // pixels
constexpr double kLetter = 7.2;        // a generous mean width at the size of the text
constexpr double kSwatch = 24;         // with its gap
constexpr int kLegendLetters = 28;     // longer names are cut
constexpr double kLegendBetween = 14;  // two entries

}  // namespace

std::string colour_class(size_t series) { return fmt::format("s{}", series % kNumChartColours); }

ChartFrame::ChartFrame(const Texts& texts, Axis x, Axis y)
    : x_(std::move(x)), y_(std::move(y)), description_(texts.description) {
  bottom_ = kChartHeight - kBelow;
  size_t longest = 3;
  for (const double tick : y_.ticks) longest = std::max(longest, tick_label(tick, y_.step).size());
  left_ = kName + kLetter * static_cast<double>(longest) + kTickGap;
  draw_legend(texts);
  draw_axes(texts);
}

double ChartFrame::x(double value) const {
  return left_ + std::clamp(x_.fraction(value), 0.0, 1.0) * (kChartWidth - left_ - kRight);
}

double ChartFrame::y(double value) const {
  return bottom_ - std::clamp(y_.fraction(value), 0.0, 1.0) * (bottom_ - top_);
}

void ChartFrame::draw_legend(const Texts& texts) {
  if (texts.legend.empty()) return;
  double x = left_, y = 14;
  for (size_t i = 0; i < texts.legend.size(); ++i) {
    const std::string name = shortened(texts.legend[i], kLegendLetters);
    const double width = kSwatch + kLetter * static_cast<double>(count_code_points(name));
    if (x > left_ && x + width > kChartWidth) {
      x = left_;
      y += kLegendRow;
    }
    const std::string swatch =
        texts.bars ? fmt::format(
                         "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"18\" "
                         "height=\"9\"/>",
                         colour_class(i), x, y - 9)
                   : fmt::format("<path class=\"line {}\" d=\"M{:.1f} {:.1f}h18\"/>",
                                 colour_class(i), x, y - 4);
    grid_ += fmt::format("{}<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", swatch, x + kSwatch, y,
                         escaped(name));
    x += width + kLegendBetween;
  }
  top_ = y + kLegendRow - 6;
}

void ChartFrame::draw_axes(const Texts& texts) {
  const double right = kChartWidth - kRight;
  for (const double tick : y_.ticks) {
    grid_ += fmt::format(
        "<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
        left_, y(tick), right, left_ - kTickGap, y(tick) + 4, tick_label(tick, y_.step));
  }
  for (const double tick : x_.ticks) {
    grid_ += fmt::format(
        "<path class=\"axis\" d=\"M{:.1f} {:.1f}v4\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
        x(tick), bottom_, x(tick), bottom_ + 17, tick_label(tick, x_.step));
  }
  grid_ += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", left_, bottom_, right);
  grid_ +=
      fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
                  (left_ + right) / 2, kChartHeight - 6, escaped(texts.x_label));
  grid_ += fmt::format(
      "<text class=\"name\" transform=\"translate(12 {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>",
      (top_ + bottom_) / 2, escaped(texts.y_label));
}

void ChartFrame::add_strip(double from, double to, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + escaped(line);
  strips_ += fmt::format(
      "<rect class=\"strip\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
      "<title>{}</title></rect>",
      x(from), top_, std::max(x(to) - x(from), 0.5), bottom_ - top_, text);
}

std::string ChartFrame::finish() const {
  return fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}{}{}</svg>\n",
      kChartWidth, kChartHeight, escaped(description_), grid_, body_, strips_);
}

}  // namespace mrcnn
