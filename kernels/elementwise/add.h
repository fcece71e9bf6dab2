// add: sum of two tensors of one shape, then ReLU if asked for.
//   a, b    [...]  float, equal in shape and type; on a GPU f32 or bf16
//   returns [...]: a + b, or max(0, a + b) with NaN kept; bf16 is rounded once, at the end
// Gradient: a, b; both get the same, where the sum passed the ReLU.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"
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

namespace cuda {
void add(int64_t count, const AddParams& params, const float* a, const float* b, float* output,
         Stream stream);
void add(int64_t count, const AddParams& params, const BFloat16* a, const BFloat16* b,
         BFloat16* output, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
