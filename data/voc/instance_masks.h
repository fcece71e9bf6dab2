// The masks in an instance picture of PASCAL VOC.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rle.h"
#include "core/tensor.h"

namespace mrcnn {

// indices [H, W] u8: 0 is background, 255 void (borders and what nobody labelled), every other
// number an object. Returns the masks of the numbers that occur, ascending.
std::vector<Rle> voc_instance_masks(const Tensor& indices);

}  // namespace mrcnn
