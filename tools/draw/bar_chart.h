// Bar charts on a canvas: bars in parts, side by side or one below the other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tools/draw/canvas.h"

namespace mrcnn {

struct ChartStyle {
  RgbColour ink{34, 40, 49};       // of titles and values
  RgbColour faint{110, 118, 129};  // of names and notes
  RgbColour track{238, 241, 245};  // behind bars
  int64_t scale = 2;               // size of a font pixel
};

struct Bar {
  std::string name;
  std::vector<double> parts;  // drawn one behind the other, in the colours of the chart
  std::string value;          // written at its end

  double total() const;
};

struct BarChart {
  std::string title;
  std::vector<Bar> bars;
  std::vector<RgbColour> colours;  // of the parts
  std::vector<std::string> parts;  // their names; a legend if there are any
};

// `text` cut with ".." so that it is at most `width` pixels wide.
std::string fit_text(const std::string& text, int64_t width, int64_t scale);

// Names left, bars to the right, values behind them; one row a bar.
void draw_bars(Canvas& canvas, const PixelRect& place, const BarChart& chart,
               const ChartStyle& style = {});
int64_t bars_height(const BarChart& chart, const ChartStyle& style = {});  // that is wanted

// Bars upwards, names below, values above.
void draw_columns(Canvas& canvas, const PixelRect& place, const BarChart& chart,
                  const ChartStyle& style = {});

}  // namespace mrcnn
