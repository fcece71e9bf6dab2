// Pieces of mask pasting that the soft paste and the RLE encoder share on the CPU.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/detection/mask_paste_math.h"

namespace mrcnn::cpu {

// Both axes of one object's mask on the canvas.
struct PasteWindow {
  PasteAxis rows;
  PasteAxis columns;
  bool empty() const { return rows.begin == rows.end || columns.begin == columns.end; }
};

// box [4]
PasteWindow paste_window(const float* box, int64_t mask_size, int64_t extra_pixel, int64_t height,
                         int64_t width);

// Taps of the pixels [begin, end) of an axis.
struct PasteTaps {
  std::vector<int32_t> low;
  std::vector<float> high_weight;
};
PasteTaps paste_taps(const PasteAxis& axis, int64_t source_size);

// output[i] = a[i] * weight_a + b[i] * weight_b. Pasting does this along x first, then along y.
void blend(const float* a, const float* b, float weight_a, float weight_b, int64_t count,
           float* output);

}  // namespace mrcnn::cpu
