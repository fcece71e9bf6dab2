#include "data/evaluation/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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

double mean_of(const std::vector<double>& samples) {
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

// Percentiles of how far resamples are from their mean, around the value. Their mean itself is off:
// an image drawn twice makes a set less varied, and AP larger.
Interval interval_of(std::vector<double> samples, double value, double level, double least) {
  if (samples.empty()) return {};
  const double shift = value - mean_of(samples);
  std::sort(samples.begin(), samples.end());
  const auto end = [&](double fraction) {
    return std::clamp(percentile(samples, fraction) + shift, least, 1.0);
  };
  return {.low = end((1 - level) / 2), .high = end((1 + level) / 2)};
}

void keep_defined(std::vector<double>& samples) {
  samples.erase(
      std::remove_if(samples.begin(), samples.end(), [](double value) { return value < 0; }),
      samples.end());
}

double p_value(const std::vector<double>& differences, double value) {
  const double shift = value - mean_of(differences);
  double not_above = 1, not_below = 1;
  for (const double difference : differences) {
    if (difference + shift <= 0) not_above += 1;
    if (difference + shift >= 0) not_below += 1;
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
    summary.values[i] = interval_of(std::move(samples), whole.values[i], options.level, 0);
  }
  for (size_t k = 0; k < matches.classes.size(); ++k) {
    std::vector<double>& samples = drawn.class_ap[k];
    keep_defined(samples);
    const double ap = whole.classes.at(matches.classes[k].category)[0];
    summary.class_ap.push_back(interval_of(std::move(samples), ap, options.level, 0));
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
    difference.p = p_value(samples, difference.value);
    difference.interval = interval_of(std::move(samples), difference.value, options.level, -1);
  }
  return differences;
}

}  // namespace mrcnn
