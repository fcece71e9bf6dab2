// What the batch norms ask of the maps they are given.
#pragma once

#include <fmt/format.h>

#include "core/error.h"
#include "core/tensor.h"

namespace mrcnn {

// input [..., C]; residual of its shape and type, or undefined. Throws ShapeError or DTypeError
// that begins with the op's name.
inline void check_norm_maps(const char* op, const Tensor& input, const Tensor& residual) {
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError(fmt::format("[{}] input must be [..., C]: {}", op, input.describe()));
  }
  if (!residual.defined()) return;
  if (residual.shape() != input.shape()) {
    throw ShapeError(fmt::format("[{}] residual and input differ in shape: {}, {}", op,
                                 residual.describe(), input.describe()));
  }
  if (residual.dtype() != input.dtype()) {
    throw DTypeError(fmt::format("[{}] residual and input differ in type: {}, {}", op,
                                 residual.describe(), input.describe()));
  }
}

}  // namespace mrcnn
