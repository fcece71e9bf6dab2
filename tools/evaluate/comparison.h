// Two detectors on the same images: how much better the second is, and how sure that is.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/evaluation/coco_curves.h"
#include "data/evaluation/resampling.h"
#include "tools/evaluate/evaluators.h"

namespace mrcnn {

struct Comparison {
  std::string type;  // "bbox" or "segm"
  CocoValues first{};
  CocoValues second{};
  std::array<Difference, kCocoMetrics.size()> differences{};  // second minus first
};

// For each kind that both evaluators have.
std::vector<Comparison> compare_evaluations(const Evaluators& first, const Evaluators& second,
                                            const ResamplingOptions& options);

// A line a number: both, the difference, its interval and p.
std::string format_comparison(const Comparison& comparison);

}  // namespace mrcnn
