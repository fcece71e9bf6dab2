// Comparisons for programs: every number as the shortest text that reads back to it.
#pragma once

#include <span>
#include <string>

#include "tools/evaluate/comparison.h"

namespace mrcnn {

// {"bbox": {"AP": {"first": 0.41, "second": 0.42, "difference": 0.01, "interval": [-0.01, 0.02],
// "p": 0.3}, ...}, "segm": {...}}; null for a number of which there is nothing to find. `path`: a
// file, "-" for standard output.
void write_comparison_json(const std::string& path, std::span<const Comparison> comparisons);

// type, number, first, second, difference, low, high, p. Without lines for what there is not.
void write_comparison_csv(const std::string& path, std::span<const Comparison> comparisons);

}  // namespace mrcnn
