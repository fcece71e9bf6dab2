#include "tools/trainer/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace mrcnn {
namespace {

struct Unit {
  char letter;
  double seconds;
};
constexpr std::array<Unit, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr double kLongest = 10 * 365.25 * 86400;

[[noreturn]] void refuse(std::string_view text, const char* problem) {
  throw UsageError(fmt::format("'{}' is no duration: {} (90m, 2h, 1h30m, 45s)", text, problem));
}

// Without an exponent, which a duration does not have.
std::string shortest_text(double value) {
  std::array<char, 400> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  return {digits.data(), end};
}

}  // namespace

double parse_duration(std::string_view text) {
  double total = 0;
  size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double count = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), count, std::chars_format::fixed);
    if (error != std::errc{} || !(count >= 0) || !std::isfinite(count)) {
      refuse(text, "a number is needed in front of each unit");
    }
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (rest.empty()) refuse(text, "it needs a unit");
    size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].letter != rest.front()) ++unit;
    if (unit == kUnits.size()) refuse(text, "units are d, h, m and s, in this order");
    total += count * kUnits[unit].seconds;
    next_unit = unit + 1;
    rest.remove_prefix(1);
  }
  if (!(total > 0)) refuse(text, "it must be longer than nothing");
  if (total > kLongest) refuse(text, "it is longer than ten years");
  return total;
}

std::string duration_text(double seconds) {
  std::string text;
  double rest = seconds;
  for (const Unit& unit : kUnits) {
    if (unit.letter == 's') break;
    const double count = std::floor(rest / unit.seconds);
    if (count < 1) continue;
    text += fmt::format("{:.0f}{}", count, unit.letter);
    rest -= count * unit.seconds;
  }
  if (rest > 0 || text.empty()) text += shortest_text(rest) + "s";
  return text;
}

}  // namespace mrcnn
