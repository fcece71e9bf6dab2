// The filters of the Winograd convolution: into the 36 transformed positions, packed for the
// products, and the gradients of the transformed filters back to those of the 3x3 taps.
//   U = G g G^T,  grad_g = G^T grad_U G
// Computed in f64, rounded once.
// Deterministic: yes; the result does not depend on the number of threads.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn::cpu {

enum class WinogradDirection {
  kForward,       // input channels C to output channels O
  kDataGradient,  // the convolution that gives grad_input: O to C, taps turned by half a turn
};

// weight [O, 3, 3, C] f32 as 36 positions of [panels, depth, columns], where depth counts the
// channels that are summed over and panels * columns are the others, filled up with zeros. The
// result is [36, panels * depth * columns + kWinogradPadding].
Tensor pack_winograd_filters(const Tensor& weight, int64_t columns, WinogradDirection direction);

// grad_products [36, position_stride] f32: positions of [O, row_stride], whose rows hold C values
// first; grad_weight [O, 3, 3, C].
void winograd_filter_gradient(const Tensor& grad_products, int64_t row_stride,
                              const Tensor& grad_weight);

}  // namespace mrcnn::cpu
