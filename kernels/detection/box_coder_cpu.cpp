#include "core/parallel.h"
#include "kernels/detection/box_coder.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 4096;  // boxes: tens of microseconds

Box load_box(const float* p) { return {p[0], p[1], p[2], p[3]}; }

void store_box(const Box& box, float* p) {
  p[0] = box.x1;
  p[1] = box.y1;
  p[2] = box.x2;
  p[3] = box.y2;
}

}  // namespace

void decode_boxes(int64_t count, int64_t classes, const BoxWeights& weights, const float* deltas,
                  const float* refs, float* output) {
  parallel_for(0, count, kGrain / (classes + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Box ref = load_box(refs + 4 * i);
      for (int64_t j = i * classes; j < (i + 1) * classes; ++j) {
        store_box(decode_box(deltas + 4 * j, ref, weights), output + 4 * j);
      }
    }
  });
}

void encode_boxes(int64_t count, const BoxWeights& weights, const float* boxes, const float* refs,
                  float* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      encode_box(load_box(boxes + 4 * i), load_box(refs + 4 * i), weights, output + 4 * i);
    }
  });
}

void clip_boxes(int64_t count, float image_height, float image_width, const float* boxes,
                float* output) {
  for (int64_t i = 0; i < count; ++i) {
    store_box(clip_box(load_box(boxes + 4 * i), image_height, image_width), output + 4 * i);
  }
}

}  // namespace mrcnn::cpu
