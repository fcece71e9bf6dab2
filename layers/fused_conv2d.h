// A convolution ready for inference: its normalisation folded in, an optional ReLU as epilogue,
// weights packed once.
#pragma once

#include "kernels/conv/conv2d.h"
#include "layers/conv2d.h"
#include "layers/execution.h"
#include "layers/norm.h"

namespace mrcnn {

// A convolution and the normalisation behind it.
struct ConvNorm {
  const Conv2d* conv = nullptr;
  const BatchNorm2d* norm = nullptr;  // nullptr: none
};

// The layers' parameters must be loaded. Throws ShapeError naming the layer's sizes otherwise.
// input_channels: the weight gets channels of zeros up to that many, for an input that was filled
// up likewise; 0: as it is.
PreparedConv2d fuse(const ConvNorm& layers, bool relu, const Execution& execution,
                    int64_t input_channels = 0);

}  // namespace mrcnn
