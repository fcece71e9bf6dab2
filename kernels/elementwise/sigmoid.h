// sigmoid: 1 / (1 + exp(-x)) of every element.
//   input   [...]  float
//   returns [...]  in [0, 1]; NaN stays NaN
// f32 uses exp_f32.h, within 4 units in the last place for normal results.
// Gradient: not recorded in this version (inference only).
// Deterministic: yes, f32 gives the same bits on every machine.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

Tensor sigmoid(const Tensor& input);

namespace cpu {
void sigmoid(int64_t count, const float* input, float* output);
void sigmoid(int64_t count, const double* input, double* output);
}  // namespace cpu
}  // namespace mrcnn
