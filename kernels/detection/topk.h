// topk: the k largest scores of each row, best first.
//   scores  [N, M]  f32
//   returns values [N, k'] f32 and indices [N, k'] i32, k' = min(k, M)
// Equal scores (-0 equals +0) are ordered by index; NaN comes last.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

struct TopK {
  Tensor values;
  Tensor indices;
};

TopK topk(const Tensor& scores, int64_t k);

namespace cpu {
// scores [rows, columns]; values, indices [rows, k]; k <= columns
void topk(int64_t rows, int64_t columns, int64_t k, const float* scores, float* values,
          int32_t* indices);
}  // namespace cpu
}  // namespace mrcnn
