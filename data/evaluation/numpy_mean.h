// The mean as numpy computes it, bit for bit, so that published numbers are reproduced exactly.
#pragma once

#include <span>

namespace mrcnn {

// -1 of nothing, which is how the evaluation says that there was nothing to count.
// Source: numpy 1.24 core/src/umath/loops_utils.h.src, pairwise sum.
double numpy_mean(std::span<const double> values);

}  // namespace mrcnn
