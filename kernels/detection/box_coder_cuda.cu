// A thread a box; 16 bytes in, 16 bytes out.
#include "core/cuda/launch.cuh"
#include "kernels/detection/box_coder.h"
#include "kernels/detection/box_pack.cuh"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

LaunchConfig thread_per_box(int64_t count, Stream stream) {
  return {.grid = blocks_for(count, kBlock), .block = dim3(kBlock), .stream = stream};
}

// count = references * classes
__global__ void __launch_bounds__(kBlock)
    decode_boxes_kernel(int64_t count, int64_t classes, BoxWeights weights,
                        const float* __restrict__ deltas, const float* __restrict__ refs,
                        float* __restrict__ output) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const Pack<4> delta = load_pack<4>(deltas + 4 * i);
    store_box(output + 4 * i, decode_box(delta.values, load_box(refs + i / classes * 4), weights));
  }
}

__global__ void __launch_bounds__(kBlock)
    encode_boxes_kernel(int64_t count, BoxWeights weights, const float* __restrict__ boxes,
                        const float* __restrict__ refs, float* __restrict__ output) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    Pack<4> deltas;
    encode_box(load_box(boxes + 4 * i), load_box(refs + 4 * i), weights, deltas.values);
    store_pack<4>(output + 4 * i, deltas);
  }
}

__global__ void __launch_bounds__(kBlock)
    clip_boxes_kernel(int64_t count, float image_height, float image_width,
                      const float* __restrict__ boxes, float* __restrict__ output) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    store_box(output + 4 * i, clip_box(load_box(boxes + 4 * i), image_height, image_width));
  }
}

}  // namespace

void decode_boxes(int64_t count, int64_t classes, const BoxWeights& weights, const float* deltas,
                  const float* refs, float* output, Stream stream) {
  if (count * classes == 0) return;
  launch("decode_boxes", decode_boxes_kernel, thread_per_box(count * classes, stream),
         count * classes, classes, weights, deltas, refs, output);
}

void encode_boxes(int64_t count, const BoxWeights& weights, const float* boxes, const float* refs,
                  float* output, Stream stream) {
  if (count == 0) return;
  launch("encode_boxes", encode_boxes_kernel, thread_per_box(count, stream), count, weights, boxes,
         refs, output);
}

void clip_boxes(int64_t count, float image_height, float image_width, const float* boxes,
                float* output, Stream stream) {
  if (count == 0) return;
  launch("clip_boxes", clip_boxes_kernel, thread_per_box(count, stream), count, image_height,
         image_width, boxes, output);
}

}  // namespace mrcnn::cuda
