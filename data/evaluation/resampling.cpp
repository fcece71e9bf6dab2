#include "data/evaluation/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/evaluation/resampled_values.h"

namespace mrcnn {
namespace {

void check(const MatchTable& matches, const ResamplingOptions& options) {
  if (options.resamples < 1) {
    throw UsageError(
        fmt::format("[resampling] {} resamples: at least one is needed", options.resamples));
  }
  if (!(options.level > 0 && options.level < 1)) {
    throw UsageError(fmt::format("[resampling] level {} is not between 0 and 1", options.level));
  }
  if (matches.image_ids.empty()) throw UsageError("[resampling] there is no image to draw");
}

// Linear between the two nearest of the sorted values.
double percentile(const std::vector<double>& sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(position));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
}

Interval interval_of(std::vector<double> samples, double level) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {.low = percentile(samples, (1 - level) / 2),
          .high = percentile(samples, (1 + level) / 2)};
}

double normal_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

double normal_quantile(double fraction) {
  double low = -10, high = 10;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (normal_below(middle) < fraction ? low : high) = middle;
  }
  return low;
}

// AP of few images lies above that of many, and AP of resampled ones above that again, by about as
// much. How many resamples are below the value of all images tells how far the percentiles must
// move for that.
Interval corrected_interval_of(std::vector<double> samples, double value, double level) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto [first, last] = std::equal_range(samples.begin(), samples.end(), value);
  const auto count = static_cast<double>(samples.size());
  const double below =
      (static_cast<double>(first - samples.begin()) + static_cast<double>(last - samples.begin())) /
      2 / count;
  const double bias = normal_quantile(std::clamp(below, 0.5 / count, 1 - 0.5 / count));
  const double half_width = normal_quantile((1 + level) / 2);
  return {.low = percentile(samples, normal_below(2 * bias - half_width)),
          .high = percentile(samples, normal_below(2 * bias + half_width))};
}

void keep_defined(std::vector<double>& samples) {
  samples.erase(
      std::remove_if(samples.begin(), samples.end(), [](double value) { return value < 0; }),
      samples.end());
}

double p_value(const std::vector<double>& differences) {
  double not_above = 1, not_below = 1;
  for (const double difference : differences) {
    if (difference <= 0) not_above += 1;
    if (difference >= 0) not_below += 1;
  }
  return std::min(
      1.0, 2 * std::min(not_above, not_below) / (static_cast<double>(differences.size()) + 1));
}

void check_same_set(const MatchTable& first, const MatchTable& second) {
  if (first.image_ids != second.image_ids) {
    throw UsageError(fmt::format(
        "[resampling] the two results are of different images ({} and {}); compare detectors on "
        "the same ones",
        first.image_ids.size(), second.image_ids.size()));
  }
  const bool same_classes = std::equal(
      first.classes.begin(), first.classes.end(), second.classes.begin(), second.classes.end(),
      [](const ClassMatches& a, const ClassMatches& b) { return a.category == b.category; });
  if (!same_classes) {
    throw UsageError(
        fmt::format("[resampling] the two results are of different classes ({} and {})",
                    first.classes.size(), second.classes.size()));
  }
}

}  // namespace

ResampledSummary resample(const MatchTable& matches, const ResamplingOptions& options) {
  check(matches, options);
  const CocoSummary whole = summarize(CocoCurves(matches));
  ResampledValues drawn = resampled_values(matches, options.resamples, options.seed);
  ResampledSummary summary;
  for (size_t i = 0; i < summary.values.size(); ++i) {
    std::vector<double> samples;
    for (const CocoValues& values : drawn.values) samples.push_back(values[i]);
    keep_defined(samples);
    summary.values[i] = corrected_interval_of(std::move(samples), whole.values[i], options.level);
  }
  for (size_t k = 0; k < matches.classes.size(); ++k) {
    std::vector<double>& samples = drawn.class_ap[k];
    keep_defined(samples);
    const double ap = whole.classes.at(matches.classes[k].category)[0];
    summary.class_ap.push_back(corrected_interval_of(std::move(samples), ap, options.level));
  }
  return summary;
}

std::array<Difference, kCocoMetrics.size()> compare(const MatchTable& first,
                                                    const MatchTable& second,
                                                    const ResamplingOptions& options) {
  check(first, options);
  check_same_set(first, second);
  const CocoValues whole_first = summarize(CocoCurves(first)).values;
  const CocoValues whole_second = summarize(CocoCurves(second)).values;
  const ResampledValues a = resampled_values(first, options.resamples, options.seed);
  const ResampledValues b = resampled_values(second, options.resamples, options.seed);
  std::array<Difference, kCocoMetrics.size()> differences;
  for (size_t i = 0; i < differences.size(); ++i) {
    std::vector<double> samples;
    for (size_t n = 0; n < a.values.size(); ++n) {
      if (a.values[n][i] >= 0 && b.values[n][i] >= 0) {
        samples.push_back(b.values[n][i] - a.values[n][i]);
      }
    }
    Difference& difference = differences[i];
    difference.defined = whole_first[i] >= 0 && whole_second[i] >= 0 && !samples.empty();
    if (!difference.defined) continue;
    difference.value = whole_second[i] - whole_first[i];
    difference.p = p_value(samples);
    difference.interval = interval_of(std::move(samples), options.level);
  }
  return differences;
}

}  // namespace mrcnn
