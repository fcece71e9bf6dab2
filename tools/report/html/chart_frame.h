// What charts have in common: a drawing of fixed size with axes, grid, legend, and strips that tell
// values when the pointer rests on them. Colours are classes; style.h has them.
#pragma once

#include <string>
#include <vector>

#include "tools/report/html/axis.h"

namespace mrcnn {

inline constexpr double kChartWidth = 460;
inline constexpr double kChartHeight = 290;
inline constexpr size_t kNumChartColours = 6;

// "s0" to "s5" and round again.
std::string colour_class(size_t series);

class ChartFrame {
 public:
  struct Texts {
    std::string description;  // what a screen reader says
    std::string x_label;
    std::string y_label;
    std::vector<std::string> legend;  // empty where one series needs none
    bool bars = false;                // the legend shows areas rather than lines
  };
  ChartFrame(const Texts& texts, Axis x, Axis y);

  double x(double value) const;
  double y(double value) const;  // values past an end of the axis are drawn at it
  double bottom() const { return bottom_; }

  // Elements between the grid and the strips.
  void add(const std::string& element) { body_ += element; }
  // A strip over the values [from, to] of the x axis with lines of text.
  void add_strip(double from, double to, const std::vector<std::string>& lines);

  // The whole <svg>.
  std::string finish() const;

 private:
  void draw_legend(const Texts& texts);
  void draw_axes(const Texts& texts);

  Axis x_;
  Axis y_;
  std::string description_;
  double left_ = 0;
  double top_ = 10;
  double bottom_ = 0;
  std::string grid_;
  std::string body_;
  std::string strips_;
};

}  // namespace mrcnn
