#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/mask_bits.h"
#include "kernels/detection/mask_paste_cpu.h"

namespace mrcnn::cpu {
namespace {

// Sets the bits of the pixels from `first_column` on whose value is above the threshold.
void set_bits(const std::vector<float>& values, float threshold, int64_t first_column,
              int32_t* row) {
  int64_t x = first_column;
  for (const float value : values) {
    const uint32_t bit = value > threshold ? 1U : 0U;
    row[x / 32] = static_cast<int32_t>(static_cast<uint32_t>(row[x / 32]) | bit << (x % 32));
    ++x;
  }
}

}  // namespace

void mask_bits(const MaskGeometry& g, const float* probs, const float* boxes, int32_t* bits) {
  const int64_t words = (g.width + 31) / 32;
  parallel_for(0, g.masks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int32_t* const mask = bits + i * g.height * words;
      std::fill_n(mask, g.height * words, 0);
      const PasteWindow window =
          paste_window(boxes + 4 * i, g.mask_size, g.extra_pixel, g.height, g.width);
      if (window.empty()) continue;
      const PastedRows rows(g.mask_size, window, probs + i * g.mask_size * g.mask_size);
      std::vector<float> values(static_cast<size_t>(window.columns.end - window.columns.begin));
      for (int64_t y = window.rows.begin; y < window.rows.end; ++y) {
        rows.write_row(y, values.data());
        set_bits(values, g.threshold, window.columns.begin, mask + y * words);
      }
    }
  });
}

}  // namespace mrcnn::cpu
