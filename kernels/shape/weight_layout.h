// weight_layout: copies weights between the layout of files and the layout of ops (channels last).
//   oihw_to_ohwi     [O, I, KH, KW] -> [O, KH, KW, I]   convolution
//   iohw_to_ohwi     [I, O, KH, KW] -> [O, KH, KW, I]   transposed convolution
//   linear_chw_to_hwc [O, C*H*W]    -> [O, H*W*C]       linear layer over a flattened feature map
// and the three inverses. Any element type. Pure data movement: values are unchanged.
// Gradient: none, this prepares constants.
// Deterministic: yes.  Syncs host: no.
// Source of the file layouts: PyTorch 2 docs of Conv2d.weight, ConvTranspose2d.weight,
// Linear.weight.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

Tensor oihw_to_ohwi(const Tensor& weight);
Tensor ohwi_to_oihw(const Tensor& weight);

Tensor iohw_to_ohwi(const Tensor& weight);
Tensor ohwi_to_iohw(const Tensor& weight);

struct FlattenedMap {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
};

Tensor linear_chw_to_hwc(const Tensor& weight, const FlattenedMap& map);
Tensor linear_hwc_to_chw(const Tensor& weight, const FlattenedMap& map);

namespace cpu {
// source [batch, rows, columns] -> destination [batch, columns, rows], elements of any type
void transpose(int64_t batch, int64_t rows, int64_t columns, int64_t element_bytes,
               const std::byte* source, std::byte* destination);
}  // namespace cpu
}  // namespace mrcnn
