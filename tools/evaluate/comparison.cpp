#include "tools/evaluate/comparison.h"

#include <fmt/format.h>

namespace mrcnn {

std::vector<Comparison> compare_evaluations(const Evaluators& first, const Evaluators& second,
                                            const ResamplingOptions& options) {
  std::vector<Comparison> comparisons;
  for (const Evaluators::Part& one : first.parts()) {
    for (const Evaluators::Part& other : second.parts()) {
      if (one.kind != other.kind) continue;
      const MatchTable matches = one.coco->matches(), other_matches = other.coco->matches();
      comparisons.push_back({.type = std::string(iou_type_name(one.kind)),
                             .first = summarize(CocoCurves(matches)).values,
                             .second = summarize(CocoCurves(other_matches)).values,
                             .differences = compare(matches, other_matches, options)});
    }
  }
  return comparisons;
}

std::string format_comparison(const Comparison& comparison) {
  std::string text = fmt::format(" {:<6} {:>6} {:>6} {:>10}  {:^16} {:>6}\n", "", "first", "second",
                                 "difference", "interval", "p");
  for (size_t i = 0; i < kCocoMetrics.size(); ++i) {
    const Difference& difference = comparison.differences[i];
    if (!difference.defined) {
      text += fmt::format(" {:<6} {:>6} {:>6}\n", kCocoMetrics[i], "-", "-");
      continue;
    }
    text +=
        fmt::format(" {:<6} {:>6.3f} {:>6.3f} {:>+10.3f}  [{:+.3f}, {:+.3f}] {:>6.3f}\n",
                    kCocoMetrics[i], comparison.first[i], comparison.second[i], difference.value,
                    difference.interval.low, difference.interval.high, difference.p);
  }
  return text;
}

}  // namespace mrcnn
