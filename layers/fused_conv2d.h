// A convolution ready for inference: its normalisation folded in, an optional ReLU as epilogue,
// weights packed once.
#pragma once

#include "kernels/conv/conv2d.h"
#include "layers/conv2d.h"
#include "layers/norm.h"

namespace mrcnn {

// A convolution and the normalisation behind it.
struct ConvNorm {
  const Conv2d* conv = nullptr;
  const BatchNorm2d* norm = nullptr;  // nullptr: none
};

// The layers' parameters must be loaded. Throws ShapeError naming the layer's sizes otherwise.
PreparedConv2d fuse(const ConvNorm& layers, bool relu);

}  // namespace mrcnn
