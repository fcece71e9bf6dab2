#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/detection/box_math.h"
#include "kernels/detection/iou.h"

namespace mrcnn::cpu {
namespace {

// One row of the matrix; the columns' coordinates are separate arrays so that it vectorises.
MRCNN_TARGET_CLONES
void iou_row(const float* a, int64_t count, const float* x1, const float* y1, const float* x2,
             const float* y2, const float* area, float* __restrict__ output) {
  const Box box{a[0], a[1], a[2], a[3]};
  const float own_area = box_area(box);
  for (int64_t j = 0; j < count; ++j) {
    const float inter = intersection_area(box, {x1[j], y1[j], x2[j], y2[j]});
    const float joint = own_area + area[j] - inter;
    output[j] = joint <= 0.0F ? 0.0F : inter / joint;
  }
}

}  // namespace

void box_iou(int64_t num_a, int64_t num_b, const float* a, const float* b, float* output) {
  const auto count = static_cast<size_t>(num_b);
  std::vector<float> columns(5 * count);
  float* x1 = columns.data();
  float* y1 = x1 + count;
  float* x2 = y1 + count;
  float* y2 = x2 + count;
  float* area = y2 + count;
  for (size_t j = 0; j < count; ++j) {
    x1[j] = b[4 * j];
    y1[j] = b[4 * j + 1];
    x2[j] = b[4 * j + 2];
    y2[j] = b[4 * j + 3];
    area[j] = box_area({x1[j], y1[j], x2[j], y2[j]});
  }
  const int64_t grain = 65536 / (num_b + 1) + 1;
  parallel_for(0, num_a, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      iou_row(a + 4 * i, num_b, x1, y1, x2, y2, area, output + i * num_b);
    }
  });
}

}  // namespace mrcnn::cpu
