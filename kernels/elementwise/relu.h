// relu: max(0, x) of every element.
//   input   [...]  float; on a GPU f32 or bf16
//   returns [...]  type and device of input
// NaN stays NaN; -0 stays -0, as both are allowed answers and the comparison is cheaper.
// Gradient: not recorded in this version (inference only).
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor relu(const Tensor& input);

namespace cpu {
void relu(int64_t count, const float* input, float* output);
void relu(int64_t count, const double* input, double* output);
}  // namespace cpu

namespace cuda {
void relu(int64_t count, const float* input, float* output, Stream stream);
void relu(int64_t count, const BFloat16* input, BFloat16* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
