#include "kernels/detection/append_boxes.h"

#include <algorithm>

namespace mrcnn::cpu {

void append_boxes(const AppendView& view) {
  const int64_t total = view.capacity + view.extra_capacity;
  for (int64_t n = 0; n < view.images; ++n) {
    float* const begin = view.output + 4 * n * total;
    float* end = std::copy_n(view.boxes + 4 * n * view.capacity, 4 * int64_t{view.count[n]}, begin);
    end = std::copy_n(view.extra + 4 * n * view.extra_capacity, 4 * int64_t{view.extra_count[n]},
                      end);
    std::fill(end, begin + 4 * total, 0.0F);
    view.output_count[n] = view.count[n] + view.extra_count[n];
  }
}

}  // namespace mrcnn::cpu
