#include "tools/report/html/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mrcnn {
namespace {

constexpr double kRounding = 1e-9;  // of a step: what division leaves of whole numbers

double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - kRounding)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Axis make_axis(double low, double high, int most_ticks, AxisEnds ends) {
  if (low > high) std::swap(low, high);
  if (high - low <= std::abs(high) * 1e-12) {
    const double margin = high == 0 ? 1 : std::abs(high) * 0.5;
    if (low != 0) low -= margin;
    high += margin;
  }
  Axis axis{.low = low, .high = high, .step = 1, .ticks = {}};
  double first = 0, last = 0;
  for (double least = (high - low) / (most_ticks - 1);; least = axis.step * 1.1) {
    axis.step = round_step(least);
    const bool round = ends == AxisEnds::kRound;
    const double a = low / axis.step, b = high / axis.step;
    first = round ? std::floor(a + kRounding) : std::ceil(a - kRounding);
    last = round ? std::ceil(b - kRounding) : std::floor(b + kRounding);
    if (last - first + 1 <= most_ticks) break;
  }
  if (ends == AxisEnds::kRound) {
    axis.low = first * axis.step;
    axis.high = last * axis.step;
  }
  for (double i = first; i <= last; ++i) axis.ticks.push_back(i * axis.step + 0.0);
  return axis;
}

std::string tick_label(double value, double step) {
  if (std::abs(value) < step * kRounding) return "0";
  if (step < 1e-4) return fmt::format("{:.6g}", value);
  const auto decimals = [](double of) {
    int digits = 0;
    for (; digits < 6 && std::abs(of - std::round(of)) > 1e-6; ++digits) of *= 10;
    return digits;
  };
  if (step >= 1e5 && std::abs(value) >= 1e6) {
    return fmt::format("{:.{}f}M", value / 1e6, decimals(step / 1e6));
  }
  if (step >= 1e3) return fmt::format("{:.{}f}k", value / 1e3, decimals(step / 1e3));
  return fmt::format("{:.{}f}", value, decimals(step));
}

std::string short_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "-";
}

}  // namespace mrcnn
