// How progress reads: pure functions from numbers to text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/report/progress.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr int kMinBarCells = 8;
constexpr int kMaxBarCells = 40;

int64_t percent(const ProgressView& view) {
  return view.total > 0 ? view.done * 100 / view.total : 0;
}

std::string format_rate(const ProgressView& view) {
  if (view.done == 0 || view.elapsed_s <= 0) return "?/s";
  const double rate = static_cast<double>(view.done) / view.elapsed_s;
  return rate >= 10 ? fmt::format("{:.0f}/s", rate) : fmt::format("{:.2f}/s", rate);
}

std::string draw_cells(double fraction, int cells, bool ascii) {
  // Blocks of 1/8 to 8/8 of a cell, U+258F to U+2588.
  constexpr std::array<std::string_view, 8> kEighths = {"\u258F", "\u258E", "\u258D", "\u258C",
                                                        "\u258B", "\u258A", "\u2589", "\u2588"};
  std::string text;
  const int eighths = static_cast<int>(std::floor(fraction * cells * 8));
  for (int cell = 0; cell < cells; ++cell) {
    const int filled = std::clamp(eighths - 8 * cell, 0, 8);
    if (filled == 0 || (ascii && filled < 8)) {
      text += ' ';
    } else {
      text += ascii ? "#" : kEighths[static_cast<size_t>(filled - 1)];
    }
  }
  return text;
}

}  // namespace

std::string format_duration(double seconds) {
  constexpr double kLongest = 359999;  // 99:59:59; more is not a useful estimate
  const auto whole = std::llround(std::clamp(seconds, 0.0, kLongest));
  const auto minutes = whole / 60;
  if (minutes < 60) return fmt::format("{:02}:{:02}", minutes, whole % 60);
  return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, whole % 60);
}

std::string format_bar(const ProgressView& view, int columns, bool ascii) {
  const std::string left = fmt::format("{} {:3}%", view.label, percent(view));
  const std::string remaining = view.remaining_s ? format_duration(*view.remaining_s) : "?";
  const std::string right =
      fmt::format("{}/{} {} [{}<{}, {}]", view.done, view.total, view.unit,
                  format_duration(view.elapsed_s), remaining, format_rate(view));
  // One column stays free: writing the last one makes some terminals wrap.
  const int room = std::max(columns - 1, 1);
  const auto fixed = static_cast<int>(count_code_points(left) + count_code_points(right)) + 4;
  const int cells = std::min(room - fixed, kMaxBarCells);
  const double fraction =
      view.total > 0 ? static_cast<double>(view.done) / static_cast<double>(view.total) : 0;
  const std::string text =
      cells >= kMinBarCells
          ? fmt::format("{} |{}| {}", left, draw_cells(fraction, cells, ascii), right)
          : fmt::format("{} {}", left, right);
  return std::string(take_code_points(text, room));
}

std::string format_progress_line(const ProgressView& view) {
  const std::string left =
      view.remaining_s ? fmt::format(", {} left", format_duration(*view.remaining_s)) : "";
  return fmt::format("{}: {}/{} {} ({}%), {} elapsed{}", view.label, view.done, view.total,
                     view.unit, percent(view), format_duration(view.elapsed_s), left);
}

}  // namespace mrcnn
