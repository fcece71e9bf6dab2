// A box in one 16-byte access. Boxes [..., 4] start at a multiple of 16 bytes, rows of them too.
#pragma once

#include "core/cuda/device_math.cuh"
#include "kernels/detection/box_math.h"

namespace mrcnn::cuda {

__device__ __forceinline__ Box load_box(const float* source) {
  const Pack<4> pack = load_pack<4>(source);
  return {pack.values[0], pack.values[1], pack.values[2], pack.values[3]};
}

__device__ __forceinline__ void store_box(float* target, const Box& box) {
  store_pack<4>(target, Pack<4>{{box.x1, box.y1, box.x2, box.y2}});
}

}  // namespace mrcnn::cuda
