// The scale of a chart's axis: where it begins and ends, and round numbers in between.
#pragma once

#include <string>
#include <vector>

namespace mrcnn {

struct Axis {
  double low = 0;
  double high = 1;
  double step = 1;  // between ticks
  std::vector<double> ticks;

  double fraction(double value) const { return (value - low) / (high - low); }
};

enum class AxisEnds {
  kRound,  // at ticks
  kExact,  // where the data end
};

// Ticks at 1, 2 or 5 times a power of ten, at most `most_ticks` (3 or more) of them. An empty or
// reversed range is made one around its values; both ends must be finite.
Axis make_axis(double low, double high, int most_ticks, AxisEnds ends);

// "0", "0.25", "40", "20k", "1.5M", "2e-05": no digit more than ticks at that distance need.
std::string tick_label(double value, double step);

// For people: four significant digits, "-" for what is not finite.
std::string short_number(double value);

}  // namespace mrcnn
