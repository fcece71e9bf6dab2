#include "core/cuda/launch.cuh"
#include "kernels/detection/box_pack.cuh"
#include "kernels/detection/iou.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;   // columns: one coalesced kilobyte of output a row
constexpr int64_t kRows = 8;  // per block: a thread loads its column's box once for all
constexpr int64_t kMostGridY = 65535;

// Block (x, y): columns x * kBlock.., rows y * kRows.. and so on by the grid's height.
__global__ void __launch_bounds__(kBlock)
    box_iou_kernel(int64_t num_a, int64_t num_b, const float* __restrict__ a,
                   const float* __restrict__ b, float* __restrict__ output) {
  const int64_t j = first_item();
  if (j >= num_b) return;
  const Box box = load_box(b + 4 * j);
  const float area = box_area(box);
  for (int64_t first = blockIdx.y * kRows; first < num_a; first += gridDim.y * kRows) {
    const int64_t end = first + kRows < num_a ? first + kRows : num_a;
    for (int64_t i = first; i < end; ++i) {
      const Box other = load_box(a + 4 * i);
      const float inter = intersection_area(other, box);
      const float joint = box_area(other) + area - inter;
      output[i * num_b + j] = joint <= 0.0F ? 0.0F : inter / joint;
    }
  }
}

}  // namespace

void box_iou(int64_t num_a, int64_t num_b, const float* a, const float* b, float* output,
             Stream stream) {
  if (num_a == 0 || num_b == 0) return;
  dim3 grid = blocks_for(num_b, kBlock);
  grid.y = blocks_for(num_a, kRows, kMostGridY).x;
  launch("box_iou", box_iou_kernel, {.grid = grid, .block = dim3(kBlock), .stream = stream}, num_a,
         num_b, a, b, output);
}

}  // namespace mrcnn::cuda
