// topk: the k largest scores of each row, best first.
//   scores  [N, M]  f32
//   returns values [N, k'] f32 and indices [N, k'] i32, k' = min(k, M)
// Equal scores (-0 equals +0) are ordered by index; NaN comes last.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
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

namespace cuda {
// One of several top-k searches that share their launches, such as a level of a pyramid.
struct TopkLevel {
  const float* scores = nullptr;  // [rows, columns]
  int64_t columns = 0;            // < 2^31
  int64_t k = 0;                  // <= columns
  float* values = nullptr;        // [rows, k], or null
  int32_t* indices = nullptr;     // [rows, k]
  int64_t output_stride = 0;      // elements from one row of values and indices to the next
};
inline constexpr size_t kMaxTopkLevels = 8;

// `workspace` has topk_workspace_bytes, is 256-byte aligned and need not be initialised.
int64_t topk_workspace_bytes(int64_t rows, std::span<const TopkLevel> levels);
void topk(int64_t rows, std::span<const TopkLevel> levels, void* workspace, Stream stream);

// values, indices [rows, k]
int64_t topk_workspace_bytes(int64_t rows, int64_t columns, int64_t k);
void topk(int64_t rows, int64_t columns, int64_t k, const float* scores, float* values,
          int32_t* indices, void* workspace, Stream stream);
}  // namespace cuda
}  // namespace mrcnn
