// Picks the implementation of an op: by device, then by element type.
#pragma once

#include <initializer_list>
#include <string>

#include "core/error.h"
#include "core/tensor.h"

namespace mrcnn {

// Every defined tensor must be on the CPU: ops have no other implementation in this version.
inline void require_cpu(const char* op, std::initializer_list<const Tensor*> tensors) {
  for (const Tensor* tensor : tensors) {
    if (tensor->defined() && !tensor->device().is_cpu()) {
      throw DeviceError(std::string("[") + op + "] runs on the CPU only: " + tensor->describe());
    }
  }
}

template <typename T>
struct TypeTag {
  using type = T;
};

// Calls f(TypeTag<float>{}) or f(TypeTag<double>{}); other types throw DTypeError.
template <typename F>
void dispatch_float(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(TypeTag<float>{});
    case DType::kF64:
      return f(TypeTag<double>{});
    default:
      throw DTypeError(std::string("[") + op + "] takes f32 or f64, not " +
                       std::string(dtype_name(dtype)));
  }
}

}  // namespace mrcnn
