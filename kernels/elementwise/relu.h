// relu: max(0, x) of every element.
//   input   [...]  float
//   returns [...]
// NaN stays NaN; -0 stays -0, as both are allowed answers and the comparison is cheaper.
// Gradient: not recorded in this version (inference only).
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

Tensor relu(const Tensor& input);

namespace cpu {
void relu(int64_t count, const float* input, float* output);
void relu(int64_t count, const double* input, double* output);
}  // namespace cpu
}  // namespace mrcnn
