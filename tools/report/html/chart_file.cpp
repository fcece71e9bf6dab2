#include "tools/report/html/chart_file.h"

#include <fmt/format.h>

#include "tools/report/html/chart_frame.h"
#include "tools/report/html/markup.h"
#include "tools/report/html/style.h"

namespace mrcnn {

// The namespace is what makes the file a drawing; nothing is fetched from there.
std::string chart_file(const std::vector<PageFigure>& figures) {
  constexpr double kCaption = 28, kMargin = 10;
  std::string body;
  double y = kMargin;
  for (const PageFigure& figure : figures) {
    body += fmt::format(
        "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n"
        "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}",
        kMargin, y + 16, escaped(figure.caption), kMargin, y + kCaption, kChartWidth, kChartHeight,
        figure.svg.substr(std::string_view("<svg").size()));
    y += kCaption + kChartHeight + kMargin;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\">\n<style>{2}.title {{ font: 600 14px system-ui, sans-serif; fill: "
      "var(--text); }}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"var(--ground)\"/>\n"
      "{3}</svg>\n",
      kChartWidth + 2 * kMargin, y, chart_style(), body);
}

}  // namespace mrcnn
