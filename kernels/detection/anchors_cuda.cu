#include "core/cuda/launch.cuh"
#include "kernels/detection/anchors.h"
#include "kernels/detection/anchors_math.h"
#include "kernels/detection/box_pack.cuh"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// A thread an anchor.
__global__ void __launch_bounds__(kBlock)
    grid_anchors_kernel(AnchorGrid grid, int64_t count, const float* __restrict__ base,
                        float* __restrict__ output) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    store_box(output + 4 * i, grid_anchor(grid, base, i));
  }
}

}  // namespace

void grid_anchors(int64_t num_anchors, int64_t grid_height, int64_t grid_width,
                  int64_t stride_height, int64_t stride_width, const float* base, float* output,
                  Stream stream) {
  const AnchorGrid grid{grid_width, num_anchors, stride_height, stride_width};
  const int64_t count = grid_height * grid_width * num_anchors;
  if (count == 0) return;
  launch("grid_anchors", grid_anchors_kernel,
         {.grid = blocks_for(count, kBlock), .block = dim3(kBlock), .stream = stream}, grid, count,
         base, output);
}

}  // namespace mrcnn::cuda
