// Picks an implementation by any element type, for what does not compute: fill, copy, cast.
#pragma once

#include "core/dispatch.h"
#include "core/dtype.h"

namespace mrcnn {

// Calls f(TypeTag<T>{}) with the element type.
template <typename F>
void dispatch_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(TypeTag<float>{});
    case DType::kF64:
      return f(TypeTag<double>{});
    case DType::kBF16:
      return f(TypeTag<BFloat16>{});
    case DType::kI32:
      return f(TypeTag<int32_t>{});
    case DType::kI64:
      return f(TypeTag<int64_t>{});
    case DType::kU8:
      return f(TypeTag<uint8_t>{});
    case DType::kBool:
      return f(TypeTag<bool>{});
  }
}

}  // namespace mrcnn
