// anchors: reference boxes of the region proposal network.
//   base_anchors(sizes, ratios)       -> [A, 4] f32 around (0, 0); A = sizes x ratios, ratio
//   fastest
//     ratio = height / width, size = sqrt(area): h = size * sqrt(ratio), w = size / sqrt(ratio)
//   grid_anchors(base [A, 4], H x W)  -> [H*W*A, 4] f32, order (row, column, anchor)
//     Cell (y, x) shifts the base anchors by (x * stride_width, y * stride_height): centres lie on
//     the cells' top-left corners, in pixels of the padded network input.
// round_half_even rounds base anchors to integers as torchvision does (the original system does
// not round). stride is padded image size / grid size in integers in both references, which is 61
// and not 64 for the last level of an 800 pixel high image.
// base_anchors works on the CPU; grid_anchors on the device of `base`, where a GPU gives the CPU's
// bits.
// Gradient: none.  Deterministic: yes.  Syncs host: no.  Capturable: yes.
// Source: Ren et al. 2015, sec. 3.1; torchvision 0.29 models/detection/anchor_utils.py.
#pragma once

#include <cstdint>
#include <span>

#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

Tensor base_anchors(std::span<const double> sizes, std::span<const double> ratios,
                    bool round_half_even);
Tensor grid_anchors(const Tensor& base, int64_t grid_height, int64_t grid_width,
                    int64_t stride_height, int64_t stride_width);

namespace cpu {
// base [num_anchors, 4]; output [grid_height * grid_width * num_anchors, 4]
void grid_anchors(int64_t num_anchors, int64_t grid_height, int64_t grid_width,
                  int64_t stride_height, int64_t stride_width, const float* base, float* output);
}  // namespace cpu

namespace cuda {
void grid_anchors(int64_t num_anchors, int64_t grid_height, int64_t grid_width,
                  int64_t stride_height, int64_t stride_width, const float* base, float* output,
                  Stream stream);
}  // namespace cuda
}  // namespace mrcnn
