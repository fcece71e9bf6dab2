// add: sum of two tensors of one shape, then ReLU if asked for.
//   a, b    [...]  float, equal in shape and type
//   returns [...]: a + b, or max(0, a + b) with NaN kept
// Gradient: not recorded in this version (inference only).
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

struct AddParams {
  bool relu = false;
};

Tensor add(const Tensor& a, const Tensor& b, const AddParams& params = {});

namespace cpu {
void add(int64_t count, const AddParams& params, const float* a, const float* b, float* output);
void add(int64_t count, const AddParams& params, const double* a, const double* b, double* output);
}  // namespace cpu
}  // namespace mrcnn
