// The mean as numpy computes it, bit for bit, so that published numbers are reproduced exactly.
#pragma once

#include <span>

namespace mrcnn {

enum class NumpySum {
  kBlocks,  // numpy before 2.3: blocks of 8192 values one after another, each summed pairwise
  kWhole,   // numpy 2.3 on: all pairwise
};

// -1 of nothing, which is how the evaluation says that there was nothing to count.
// Source: numpy 1.24 and 2.3 core/src/umath/loops_utils.h.src, pairwise sum.
double numpy_mean(std::span<const double> values, NumpySum sum = NumpySum::kBlocks);

}  // namespace mrcnn
