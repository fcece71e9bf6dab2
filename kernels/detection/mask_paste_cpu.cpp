#include "kernels/detection/mask_paste_cpu.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/detection/mask_paste.h"

namespace mrcnn::cpu {

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

PastedRows::PastedRows(int64_t mask_size, const PasteWindow& window, const float* probs)
    : first_row_(window.rows.begin),
      line_(window.columns.end - window.columns.begin),
      rows_(paste_taps(window.rows, mask_size + 2)),
      lines_(static_cast<size_t>((mask_size + 3) * line_)) {
  const PasteTaps columns = paste_taps(window.columns, mask_size + 2);
  for (int64_t row = 1; row <= mask_size; ++row) {  // the others are the border of zeros
    for (int64_t x = 0; x < line_; ++x) {
      const PasteTap tap{columns.low[static_cast<size_t>(x)],
                         columns.high_weight[static_cast<size_t>(x)]};
      lines_[static_cast<size_t>(row * line_ + x)] = paste_source_row(probs, mask_size, row, tap);
    }
  }
}

void PastedRows::write_row(int64_t y, float* output) const {
  const auto slot = static_cast<size_t>(y - first_row_);
  const float* const source = lines_.data() + rows_.low[slot] * line_;
  blend(source, source + line_, 1.0F - rows_.high_weight[slot], rows_.high_weight[slot], line_,
        output);
}

void paste_mask(int64_t mask_size, int64_t height, int64_t width, int64_t extra_pixel,
                const float* probs, const float* box, float* canvas) {
  std::fill_n(canvas, height * width, 0.0F);
  const PasteWindow window = paste_window(box, mask_size, extra_pixel, height, width);
  if (window.empty()) return;
  const PastedRows rows(mask_size, window, probs);
  const int64_t grain = 65536 / (window.columns.end - window.columns.begin) + 1;
  parallel_for(window.rows.begin, window.rows.end, grain, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      rows.write_row(y, canvas + y * width + window.columns.begin);
    }
  });
}

}  // namespace mrcnn::cpu
