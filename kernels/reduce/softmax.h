// softmax: exponentials of the last axis, scaled to add up to 1.
//   input   [..., K]  float
//   returns [..., K]: exp(x - max) / sum of exp(x - max)
// A row with NaN or +inf, or of -inf only, becomes NaN throughout. f32 uses exp_f32.h and adds up
// in f64 from left to right. Gradient: not recorded in this version (inference only).
// Deterministic: yes, f32 gives the same bits on every machine.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

Tensor softmax(const Tensor& input);

namespace cpu {
// input, output [rows, columns]
void softmax(int64_t rows, int64_t columns, const float* input, float* output);
void softmax(int64_t rows, int64_t columns, const double* input, double* output);
}  // namespace cpu
}  // namespace mrcnn
