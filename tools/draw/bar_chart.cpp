#include "tools/draw/bar_chart.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/draw/text.h"

namespace mrcnn {
namespace {

constexpr int kOpaque = 255;

int64_t line_height(const ChartStyle& style) { return text_height(style.scale) + 6 * style.scale; }

double largest_total(const BarChart& chart) {
  double largest = 0;
  for (const Bar& bar : chart.bars) largest = std::max(largest, bar.total());
  return largest > 0 ? largest : 1;
}

// Title, and the legend at the right end of its line. Returns where the bars begin.
int64_t draw_head(Canvas& canvas, const PixelRect& place, const BarChart& chart,
                  const ChartStyle& style) {
  draw_text(canvas, place.y0, place.x0, chart.title, style.scale, style.ink);
  const int64_t swatch = 9 * style.scale;
  int64_t x = place.x1;
  for (size_t i = chart.parts.size(); i-- > 0;) {
    x -= text_width(chart.parts[i], style.scale);
    draw_text(canvas, place.y0, x, chart.parts[i], style.scale, style.faint);
    x -= swatch + 4 * style.scale;
    canvas.fill({place.y0, x, place.y0 + swatch, x + swatch}, chart.colours[i], kOpaque);
    x -= 12 * style.scale;
  }
  return place.y0 + line_height(style) + 4 * style.scale;
}

int64_t widest_name(const BarChart& chart, const ChartStyle& style) {
  int64_t widest = 0;
  for (const Bar& bar : chart.bars) widest = std::max(widest, text_width(bar.name, style.scale));
  return widest;
}

int64_t widest_value(const BarChart& chart, const ChartStyle& style) {
  int64_t widest = 0;
  for (const Bar& bar : chart.bars) widest = std::max(widest, text_width(bar.value, style.scale));
  return widest;
}

}  // namespace

double Bar::total() const { return std::accumulate(parts.begin(), parts.end(), 0.0); }

std::string fit_text(const std::string& text, int64_t width, int64_t scale) {
  if (text_width(text, scale) <= width) return text;
  std::string cut = text;
  while (!cut.empty() && text_width(cut + "..", scale) > width) {
    do {
      cut.pop_back();
    } while (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0) == 0x80);
    // What is left may end with the first byte of a character that was cut.
    if (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0) == 0xC0) cut.pop_back();
  }
  return cut + "..";
}

int64_t bars_height(const BarChart& chart, const ChartStyle& style) {
  return line_height(style) * (1 + static_cast<int64_t>(chart.bars.size())) + 4 * style.scale;
}

void draw_bars(Canvas& canvas, const PixelRect& place, const BarChart& chart,
               const ChartStyle& style) {
  int64_t y = draw_head(canvas, place, chart, style);
  const int64_t gap = 6 * style.scale;
  const int64_t names = std::min(widest_name(chart, style), place.width() / 3);
  const int64_t begin = place.x0 + names + gap;
  const int64_t room = std::max<int64_t>(place.x1 - widest_value(chart, style) - gap - begin, 1);
  const double unit = static_cast<double>(room) / largest_total(chart);
  for (const Bar& bar : chart.bars) {
    const std::string name = fit_text(bar.name, names, style.scale);
    draw_text(canvas, y, begin - gap - text_width(name, style.scale), name, style.scale,
              style.faint);
    const int64_t bottom = y + 10 * style.scale;
    canvas.fill({y - style.scale, begin, bottom, begin + room}, style.track, kOpaque);
    double done = 0;
    for (size_t i = 0; i < bar.parts.size(); ++i) {
      const int64_t from = begin + std::lround(done * unit);
      done += bar.parts[i];
      canvas.fill({y - style.scale, from, bottom, begin + std::lround(done * unit)},
                  chart.colours[i], kOpaque);
    }
    draw_text(canvas, y, begin + std::lround(done * unit) + gap, bar.value, style.scale, style.ink);
    y += line_height(style);
  }
}

void draw_columns(Canvas& canvas, const PixelRect& place, const BarChart& chart,
                  const ChartStyle& style) {
  const int64_t top = draw_head(canvas, place, chart, style) + line_height(style);
  const int64_t base = place.y1 - line_height(style);
  canvas.fill({base, place.x0, base + style.scale, place.x1}, style.faint, 120);
  if (chart.bars.empty() || base <= top) return;
  const double unit = static_cast<double>(base - top) / largest_total(chart);
  const int64_t step = place.width() / static_cast<int64_t>(chart.bars.size());
  const int64_t width = std::max<int64_t>(step * 3 / 4, 1);
  const auto centred = [&](const std::string& text, int64_t middle, int64_t y,
                           const RgbColour& colour) {
    const std::string fitted = fit_text(text, step, style.scale);
    draw_text(canvas, y, middle - text_width(fitted, style.scale) / 2, fitted, style.scale, colour);
  };
  for (size_t k = 0; k < chart.bars.size(); ++k) {
    const Bar& bar = chart.bars[k];
    const int64_t middle = place.x0 + step * static_cast<int64_t>(k) + step / 2;
    double done = 0;
    for (size_t i = 0; i < bar.parts.size(); ++i) {
      const int64_t from = base - std::lround(done * unit);
      done += bar.parts[i];
      const int64_t to = base - std::lround(done * unit);
      canvas.fill({to, middle - width / 2, from, middle - width / 2 + width}, chart.colours[i],
                  kOpaque);
    }
    const int64_t end = base - std::lround(done * unit);
    centred(bar.value, middle, end - text_height(style.scale) - style.scale, style.ink);
    centred(bar.name, middle, base + 5 * style.scale, style.faint);
  }
}

}  // namespace mrcnn
