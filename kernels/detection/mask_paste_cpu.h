// Pieces of mask pasting that the soft paste, the bits and the RLE encoder share on the CPU.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/detection/mask_paste_math.h"

namespace mrcnn::cpu {

// Taps of the pixels [begin, end) of an axis.
struct PasteTaps {
  std::vector<int32_t> low;
  std::vector<float> high_weight;
};
PasteTaps paste_taps(const PasteAxis& axis, int64_t source_size);

// output[i] = a[i] * weight_a + b[i] * weight_b: paste_blend over a row.
void blend(const float* a, const float* b, float weight_a, float weight_b, int64_t count,
           float* output);

// One mask, row by row. Its source rows are stretched to the window's width at the start.
class PastedRows {
 public:
  // probs [mask_size, mask_size]; not kept
  PastedRows(int64_t mask_size, const PasteWindow& window, const float* probs);

  // Values of the window's columns in row `y` of the canvas, which is inside the window.
  void write_row(int64_t y, float* output) const;

 private:
  int64_t first_row_;
  int64_t line_;  // columns of the window
  PasteTaps rows_;
  std::vector<float> lines_;  // [S, line], and the last row again
};

}  // namespace mrcnn::cpu
