// Argument checks shared by the detection ops.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/tensor.h"
#include "kernels/detection/box_math.h"

namespace mrcnn::detection {

inline constexpr int64_t kAny = -1;

// `form` is the shape as the op's header writes it, for the message; kAny matches every extent.
inline void require_shape(const char* op, const char* name, const Tensor& tensor, const char* form,
                          std::initializer_list<int64_t> extents) {
  bool fits = tensor.defined() && tensor.rank() == static_cast<int>(extents.size());
  int axis = 0;
  for (const int64_t extent : extents) {
    if (!fits) break;
    fits = extent == kAny || tensor.size(axis) == extent;
    ++axis;
  }
  if (!fits) {
    throw ShapeError(fmt::format("[{}] {} must be {}: {}", op, name, form, tensor.describe()));
  }
}

inline void require_dtype(const char* op, const char* name, const Tensor& tensor, DType dtype) {
  if (tensor.dtype() != dtype) {
    throw DTypeError(
        fmt::format("[{}] {} must be {}: {}", op, name, dtype_name(dtype), tensor.describe()));
  }
}

inline void require_f32(const char* op, const char* name, const Tensor& tensor, const char* form,
                        std::initializer_list<int64_t> extents) {
  require_shape(op, name, tensor, form, extents);
  require_dtype(op, name, tensor, DType::kF32);
}

inline void require_i32(const char* op, const char* name, const Tensor& tensor, const char* form,
                        std::initializer_list<int64_t> extents) {
  require_shape(op, name, tensor, form, extents);
  require_dtype(op, name, tensor, DType::kI32);
}

// [N] counts of rows in use. The values are looked at on the CPU only.
inline void require_counts(const char* op, const char* name, const Tensor& counts, int64_t most) {
  if (!counts.device().is_cpu()) return;
  for (const int32_t count : counts.span<const int32_t>()) {
    if (count < 0 || count > most) {
      throw ShapeError(fmt::format("[{}] {} has {}, not 0..{}", op, name, count, most));
    }
  }
}

// Indices are i32.
inline void require_indexable(const char* op, const char* name, int64_t count) {
  if (count > INT32_MAX) {
    throw ShapeError(
        fmt::format("[{}] {} entries of {} do not fit 32-bit indices", op, count, name));
  }
}

inline void require_weights(const char* op, const BoxWeights& weights) {
  if (!(weights.x > 0 && weights.y > 0 && weights.width > 0 && weights.height > 0)) {
    throw ShapeError(fmt::format("[{}] weights must be positive: {}, {}, {}, {}", op, weights.x,
                                 weights.y, weights.width, weights.height));
  }
}

}  // namespace mrcnn::detection
