// sort_keys: sorts rows of 64-bit keys on a GPU, ascending, in place.
//   keys  [rows, n]
//   count [rows] i32, or null: only the first count of each row are sorted, the rest stays as it
//   is;
//         values outside 0..n are taken as the nearest of them
// A row of up to `tile` keys takes one launch; the number of launches depends on n alone.
// Deterministic: yes.  Syncs host: no.  Capturable: yes.
#pragma once

#include <cstdint>

#include "core/stream.h"

namespace mrcnn::cuda {

// Keys that one block sorts in shared memory: 64 KiB.
inline constexpr int64_t kSharedSortKeys = 8192;

void sort_keys(int64_t rows, int64_t n, uint64_t* keys, Stream stream);
// `tile` is a power of two from 2 to kSharedSortKeys; smaller ones serve tests of long rows.
void sort_keys(int64_t rows, int64_t n, const int32_t* count, uint64_t* keys, Stream stream,
               int64_t tile = kSharedSortKeys);

}  // namespace mrcnn::cuda
