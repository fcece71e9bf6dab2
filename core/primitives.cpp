#include "core/primitives.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "core/device_memory.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/target_clones.h"

namespace mrcnn {
namespace {

constexpr int64_t kGrain = 65536;  // elements a chunk: large against the cost of handing one out

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

template <typename To, typename From>
To saturated(From value) {
  // The limits as From: the upper one may round up to 2^bits, which no To holds.
  constexpr auto kUpper = static_cast<From>(std::numeric_limits<To>::max());
  constexpr auto kLower = static_cast<From>(std::numeric_limits<To>::min());
  if (std::isnan(value)) return To{0};
  if (value >= kUpper) return std::numeric_limits<To>::max();
  if (value <= kLower) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

template <typename To, typename From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, BFloat16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return BFloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return saturated<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

void check_pair(const char* op, const Tensor& output, const Tensor& input) {
  require_cpu(op, {&output, &input});
  if (!output.defined() || !input.defined() || output.shape() != input.shape()) {
    throw ShapeError(std::string("[") + op + "] tensors differ in shape: " + output.describe() +
                     ", " + input.describe());
  }
  if (output.dtype() != input.dtype()) {
    throw DTypeError(std::string("[") + op + "] tensors differ in type: " + output.describe() +
                     ", " + input.describe());
  }
}

template <typename T>
T fill_value(const Tensor& tensor, double value) {
  const T result = convert<T>(value);
  // 2^63 is no i64, but the largest i64 converts back to it.
  if (std::is_integral_v<T> && (convert<double>(result) != value || value >= 0x1p63)) {
    throw UsageError("[fill_] value " + std::to_string(value) +
                     " cannot be held: " + tensor.describe());
  }
  return result;
}

MRCNN_TARGET_CLONES
void accumulate_f32(int64_t count, float* sum, const float* addend) {
  for (int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

MRCNN_TARGET_CLONES
void accumulate_f64(int64_t count, double* sum, const double* addend) {
  for (int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

}  // namespace

void fill_(const Tensor& tensor, double value) {
  require_cpu("fill_", {&tensor});
  if (!tensor.defined()) throw ShapeError("[fill_] tensor is undefined");
  dispatch_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const data = tensor.data<T>();
    const T element = fill_value<T>(tensor, value);
    parallel_for(0, tensor.numel(), kGrain,
                 [&](int64_t begin, int64_t end) { std::fill(data + begin, data + end, element); });
  });
}

void copy_(const Tensor& destination, const Tensor& source) {
  check_pair("copy_", destination, source);
  parallel_for(0, source.bytes(), kGrain * 4, [&](int64_t begin, int64_t end) {
    std::memmove(destination.raw() + begin, source.raw() + begin, static_cast<size_t>(end - begin));
  });
}

void accumulate_(const Tensor& sum, const Tensor& addend) {
  check_pair("accumulate_", sum, addend);
  dispatch_float("accumulate_", sum.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const to = sum.data<T>();
    const T* const from = addend.data<const T>();
    parallel_for(0, sum.numel(), kGrain, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        accumulate_f32(end - begin, to + begin, from + begin);
      } else {
        accumulate_f64(end - begin, to + begin, from + begin);
      }
    });
  });
}

Tensor cast(const Tensor& tensor, DType dtype) {
  require_cpu("cast", {&tensor});
  if (!tensor.defined()) throw ShapeError("[cast] tensor is undefined");
  if (tensor.dtype() == dtype) return tensor.clone();
  Tensor result = Tensor::empty(tensor.shape(), dtype);
  dispatch_dtype(tensor.dtype(), [&](auto from_tag) {
    dispatch_dtype(dtype, [&](auto to_tag) {
      using From = typename decltype(from_tag)::type;
      using To = typename decltype(to_tag)::type;
      const From* const from = tensor.data<const From>();
      To* const to = result.data<To>();
      parallel_for(0, tensor.numel(), kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
      });
    });
  });
  return result;
}

Tensor copy_to(const Tensor& tensor, Device device) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  if (device.is_cpu()) return download(std::span(&tensor, 1)).front();
  if (!tensor.device().is_cpu()) return copy_to(copy_to(tensor, Device{}), device);
  Tensor copy = Tensor::empty(tensor.shape(), tensor.dtype(), device);
  upload_bytes(copy.raw(), device, tensor.raw(), tensor.bytes());
  return copy;
}

std::vector<Tensor> download(std::span<const Tensor> tensors) {
  std::vector<Tensor> results;
  std::vector<HostCopy> copies;
  Device device;
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.device().is_cpu()) {
      results.push_back(tensor.clone());
      continue;
    }
    if (!device.is_cpu() && tensor.device() != device) {
      throw DeviceError("[download] tensors are on different devices: " + tensor.describe());
    }
    device = tensor.device();
    results.push_back(Tensor::empty(tensor.shape(), tensor.dtype()));
    copies.push_back({results.back().raw(), tensor.raw(), tensor.bytes()});
  }
  if (!copies.empty()) download_bytes(copies, device);
  return results;
}

}  // namespace mrcnn
