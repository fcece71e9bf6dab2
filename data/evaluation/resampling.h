// How sure the numbers of an evaluation are: images drawn with replacement, again and again (the
// bootstrap), and how far what comes out is spread.
// An interval is for the expected number of a set of as many images. AP of few objects is larger
// than that of many, so it says nothing of sets of another size.
// Source: Efron and Tibshirani 1993, chapters 10, 13 and 16.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/evaluation/coco_curves.h"
#include "data/evaluation/match_table.h"

namespace mrcnn {

struct ResamplingOptions {
  int64_t resamples = 1000;
  uint64_t seed = 0;
  double level = 0.95;  // of the intervals
};

// -1 to -1 where there is nothing to find.
struct Interval {
  double low = -1;
  double high = -1;
};
using CocoIntervals = std::array<Interval, kCocoMetrics.size()>;

struct ResampledSummary {
  CocoIntervals values{};
  std::vector<Interval> class_ap;  // in the order of MatchTable::classes
};

// Percentiles of the resamples' distances from their mean, around the value of all images. The same
// numbers for the same seed, whatever the number of threads. A resample in which there is nothing
// to find is left out of that number. Throws UsageError unless there is at least one resample, an
// image and a level between 0 and 1.
ResampledSummary resample(const MatchTable& matches, const ResamplingOptions& options);

struct Difference {
  double value = 0;  // second minus first, of all images
  Interval interval{.low = 0, .high = 0};
  // Two-sided: how often a resample, moved by what their mean is off, has the other sign; twice,
  // with one added to both counts.
  double p = 1;
  bool defined = true;  // false: nothing to find
};

// Two detectors on the same images, every resample drawn for both. Throws UsageError like
// resample() and where the tables have other images or classes than each other.
std::array<Difference, kCocoMetrics.size()> compare(const MatchTable& first,
                                                    const MatchTable& second,
                                                    const ResamplingOptions& options);

}  // namespace mrcnn
