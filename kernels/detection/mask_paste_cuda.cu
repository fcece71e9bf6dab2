#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/detection/mask_paste.h"
#include "kernels/detection/mask_paste_math.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM: full occupancy

__global__ void paste_mask_kernel(int64_t mask_size, int64_t height, int64_t width,
                                  int64_t extra_pixel, const float* __restrict__ probs,
                                  const float* __restrict__ box, float* __restrict__ canvas) {
  const PasteWindow window = paste_window(box, mask_size, extra_pixel, height, width);
  for (int64_t i = first_item(); i < height * width; i += item_stride()) {
    const int64_t y = i / width;
    const int64_t x = i % width;
    const bool inside = y >= window.rows.begin && y < window.rows.end &&
                        x >= window.columns.begin && x < window.columns.end;
    canvas[i] = inside ? paste_value(probs, mask_size, paste_tap(window.rows, y, mask_size + 2),
                                     paste_tap(window.columns, x, mask_size + 2))
                       : 0.0F;
  }
}

}  // namespace

void paste_mask(int64_t mask_size, int64_t height, int64_t width, int64_t extra_pixel,
                const float* probs, const float* box, float* canvas, Stream stream) {
  if (height * width == 0) return;
  launch("paste_mask", paste_mask_kernel,
         {.grid = blocks_for(height * width, kBlock), .block = dim3(kBlock), .stream = stream},
         mask_size, height, width, extra_pixel, probs, box, canvas);
}

}  // namespace mrcnn::cuda
