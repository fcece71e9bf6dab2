// Walking a pasted mask on the device: a warp takes 32 columns, a lane one of them, and all go down
// the rows together. So the source rows change for the whole warp at once, and what a lane keeps of
// them lasts for as many image rows as lie between two source rows.
#pragma once

#include "core/cuda/device_math.cuh"
#include "kernels/detection/mask_paste_math.h"

namespace mrcnn::cuda {

// Calls each(y, value) for the rows [first, last), which are inside the window. All lanes of the
// warp call it with the same arguments but `column`; `taps` is the warp's own shared memory.
// probs [mask_size, mask_size]
template <typename F>
__device__ __forceinline__ void walk_pasted_rows(const float* __restrict__ probs, int64_t mask_size,
                                                 const PasteAxis& rows, int64_t first, int64_t last,
                                                 const PasteTap& column, PasteTap (&taps)[kWarp],
                                                 F&& each) {
  const auto lane = static_cast<int>(threadIdx.x % kWarp);
  int32_t source = -1;
  float upper = 0, lower = 0;
  for (int64_t base = first; base < last; base += kWarp) {
    if (base + lane < last) taps[lane] = paste_tap(rows, base + lane, mask_size + 2);
    __syncwarp();
    const auto count = static_cast<int>(last - base < kWarp ? last - base : kWarp);
    for (int i = 0; i < count; ++i) {
      const PasteTap row = taps[i];
      if (row.low != source) {
        source = row.low;
        upper = paste_source_row(probs, mask_size, source, column);
        lower = paste_source_row(probs, mask_size, int64_t{source} + 1, column);
      }
      each(base + i, paste_blend(upper, lower, row.high_weight));
    }
    __syncwarp();  // before the taps are overwritten
  }
}

}  // namespace mrcnn::cuda
