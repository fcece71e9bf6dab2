#include "kernels/detection/mask_paste_cpu.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/detection/mask_paste.h"

namespace mrcnn::cpu {

PasteWindow paste_window(const float* box, int64_t mask_size, int64_t extra_pixel, int64_t height,
                         int64_t width) {
  return {.rows = paste_axis(box[1], box[3], mask_size, extra_pixel, height),
          .columns = paste_axis(box[0], box[2], mask_size, extra_pixel, width)};
}

PasteTaps paste_taps(const PasteAxis& axis, int64_t source_size) {
  PasteTaps taps;
  for (int64_t pixel = axis.begin; pixel < axis.end; ++pixel) {
    const PasteTap tap = paste_tap(axis, pixel, source_size);
    taps.low.push_back(tap.low);
    taps.high_weight.push_back(tap.high_weight);
  }
  return taps;
}

MRCNN_TARGET_CLONES
void blend(const float* a, const float* b, float weight_a, float weight_b, int64_t count,
           float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = a[i] * weight_a + b[i] * weight_b;
}

void paste_mask(int64_t mask_size, int64_t height, int64_t width, int64_t extra_pixel,
                const float* probs, const float* box, float* canvas) {
  const PasteWindow window = paste_window(box, mask_size, extra_pixel, height, width);
  if (window.empty()) return;
  const int64_t source_size = mask_size + 2;
  const PasteTaps columns = paste_taps(window.columns, source_size);
  const PasteTaps rows = paste_taps(window.rows, source_size);
  // Source rows stretched to the window's width; the first and last are the zero border.
  const int64_t line = window.columns.end - window.columns.begin;
  std::vector<float> lines(static_cast<size_t>(source_size * line));
  const auto padded = [&](int64_t row, int64_t column) {
    const bool inside = column >= 1 && column <= mask_size;
    return inside ? probs[(row - 1) * mask_size + column - 1] : 0.0F;
  };
  for (int64_t row = 1; row <= mask_size; ++row) {
    for (int64_t x = 0; x < line; ++x) {
      const int64_t low = columns.low[static_cast<size_t>(x)];
      const float share = columns.high_weight[static_cast<size_t>(x)];
      lines[static_cast<size_t>(row * line + x)] =
          padded(row, low) * (1.0F - share) +
          padded(row, std::min(low + 1, source_size - 1)) * share;
    }
  }
  const int64_t grain = 65536 / line + 1;
  parallel_for(window.rows.begin, window.rows.end, grain, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const auto slot = static_cast<size_t>(y - window.rows.begin);
      const int64_t low = rows.low[slot];
      const int64_t high = std::min(low + 1, source_size - 1);
      blend(lines.data() + low * line, lines.data() + high * line, 1.0F - rows.high_weight[slot],
            rows.high_weight[slot], line, canvas + y * width + window.columns.begin);
    }
  });
}

}  // namespace mrcnn::cpu
