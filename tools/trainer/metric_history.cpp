#include "tools/trainer/metric_history.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace mrcnn {
namespace {

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// Takes the text before the next `separator` off, and the separator.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return piece;
}

}  // namespace

void MetricHistory::add(int64_t step, std::map<std::string, double> values) {
  if (!entries_.empty() && step <= entries_.back().step) {
    throw Error(ExitCode::kInternal,
                fmt::format("[MetricHistory] step {} follows step {}", step, entries_.back().step));
  }
  for (const auto& [name, value] : values) {
    if (name.empty() || name.find_first_of(" =\n") != name.npos) {
      throw Error(ExitCode::kInternal, "[MetricHistory] a metric is called '" + name + "'");
    }
  }
  entries_.push_back({step, std::move(values)});
}

std::optional<MetricHistory::Best> MetricHistory::best(const std::string& metric) const {
  const double sign = metric.starts_with("loss") ? -1 : 1;
  std::optional<Best> best;
  for (const Entry& entry : entries_) {
    const auto found = entry.values.find(metric);
    if (found == entry.values.end()) continue;
    const double value = found->second;
    if (std::isfinite(value) && (!best || sign * value > sign * best->value)) {
      best = Best{entry.step, value, 0};
    } else if (best) {
      ++best->evaluations_since;
    }
  }
  return best;
}

bool MetricHistory::should_stop(const std::string& metric, int64_t patience) const {
  const std::optional<Best> top = best(metric);
  return patience > 0 && top && top->evaluations_since >= patience;
}

std::string MetricHistory::text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    text += std::to_string(entry.step);
    for (const auto& [name, value] : entry.values) text += fmt::format(" {}={}", name, value);
    text += '\n';
  }
  return text;
}

MetricHistory MetricHistory::parse(std::string_view text) {
  MetricHistory history;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    std::string_view rest = line;
    Entry entry;
    bool good = parse_number(take(rest, ' '), entry.step) &&
                (history.entries_.empty() || entry.step > history.entries_.back().step);
    while (good && !rest.empty()) {
      std::string_view value = take(rest, ' ');
      const std::string name(take(value, '='));
      good = !name.empty() && parse_number(value, entry.values[name]);
    }
    if (!good) throw Error(ExitCode::kModel, fmt::format("metric history: cannot read '{}'", line));
    history.entries_.push_back(std::move(entry));
  }
  return history;
}

}  // namespace mrcnn
