#include "core/parallel.h"
#include "kernels/detection/anchors.h"
#include "kernels/detection/anchors_math.h"

namespace mrcnn::cpu {

void grid_anchors(int64_t num_anchors, int64_t grid_height, int64_t grid_width,
                  int64_t stride_height, int64_t stride_width, const float* base, float* output) {
  const AnchorGrid grid{grid_width, num_anchors, stride_height, stride_width};
  const int64_t count = grid_height * grid_width * num_anchors;
  constexpr int64_t kGrain = 16384;  // anchors: tens of microseconds
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Box box = grid_anchor(grid, base, i);
      output[4 * i] = box.x1;
      output[4 * i + 1] = box.y1;
      output[4 * i + 2] = box.x2;
      output[4 * i + 3] = box.y2;
    }
  });
}

}  // namespace mrcnn::cpu
