// The limits of the readers of PyTorch files.
#pragma once

#include "core/io/limits.h"

namespace mrcnn::pth {

inline constexpr const PthLimits& kLimits = mrcnn::kLimits.pth;

}  // namespace mrcnn::pth
