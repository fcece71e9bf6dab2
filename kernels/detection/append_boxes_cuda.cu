#include "core/cuda/launch.cuh"
#include "kernels/detection/append_boxes.h"
#include "kernels/detection/box_pack.cuh"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 128;  // some 2000 boxes an image: small blocks reach more SMs

__device__ int64_t rows_in_use(int32_t count, int64_t capacity) {
  return count < 0 ? 0 : count < capacity ? count : capacity;
}

__global__ void append_boxes_kernel(AppendView view) {
  const int64_t rows = view.capacity + view.extra_capacity;
  for (int64_t i = first_item(); i < view.images * rows; i += item_stride()) {
    const int64_t image = i / rows;
    const int64_t row = i % rows;
    const int64_t count = rows_in_use(view.count[image], view.capacity);
    const int64_t total = count + rows_in_use(view.extra_count[image], view.extra_capacity);
    Box box{};
    if (row < count) {
      box = load_box(view.boxes + 4 * (image * view.capacity + row));
    } else if (row < total) {
      box = load_box(view.extra + 4 * (image * view.extra_capacity + row - count));
    }
    store_box(view.output + 4 * i, box);
    if (row == 0) view.output_count[image] = static_cast<int32_t>(total);
  }
}

}  // namespace

void append_boxes(const AppendView& view, Stream stream) {
  const int64_t total = view.images * (view.capacity + view.extra_capacity);
  if (total == 0) return;
  launch("append_boxes", append_boxes_kernel,
         {.grid = blocks_for(total, kBlock), .block = dim3(kBlock), .stream = stream}, view);
}

}  // namespace mrcnn::cuda
