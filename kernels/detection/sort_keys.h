// sort_keys: sorts rows of 64-bit keys on a GPU, ascending, in place.
//   keys  [rows, n]
//   count [rows] i32, or null: only the first count of each row are sorted, the rest stays as it
//   is;
//         values outside 0..n are taken as the nearest of them
// Rows up to kSharedSortKeys take one launch. The number of launches depends on n alone.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"

namespace mrcnn::cuda {

inline constexpr int64_t kSharedSortKeys = 8192;  // 64 KiB

void sort_keys(int64_t rows, int64_t n, uint64_t* keys, Stream stream);
void sort_keys(int64_t rows, int64_t n, const int32_t* count, uint64_t* keys, Stream stream);

}  // namespace mrcnn::cuda
