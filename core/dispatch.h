// Picks the implementation of an op: by device, then by element type.
#pragma once

#include <initializer_list>
#include <string>

#include "core/error.h"
#include "core/stream.h"
#include "core/tensor.h"

namespace mrcnn {

#if defined(MRCNN_WITH_CUDA)
inline constexpr bool kWithCuda = true;
#else
inline constexpr bool kWithCuda = false;
#endif

// The device that all defined tensors are on. Throws DeviceError if they are on different ones.
inline Device common_device(const char* op, std::initializer_list<const Tensor*> tensors) {
  const Tensor* first = nullptr;
  for (const Tensor* tensor : tensors) {
    if (!tensor->defined()) continue;
    if (first == nullptr) first = tensor;
    if (tensor->device() != first->device()) {
      throw DeviceError(std::string("[") + op + "] tensors are on different devices: " +
                        first->describe() + ", " + tensor->describe());
    }
  }
  return first == nullptr ? Device{} : first->device();
}

// Runs cpu() or cuda(stream), by device. In a build without GPU kernels the second is not compiled
// in, and a GPU is a DeviceError.
template <typename Cpu, typename Cuda>
void dispatch_device(const char* op, Device device, Cpu&& cpu, Cuda&& cuda) {
  if (device.is_cpu()) return cpu();
  if constexpr (kWithCuda) {
    cuda(device_stream(device));
  } else {
    throw DeviceError(std::string("[") + op + "] this build has no GPU kernels");
  }
}

// For ops that have no GPU implementation: every defined tensor must be on the CPU.
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

// Calls f(TypeTag<float>{}) or f(TypeTag<BFloat16>{}), the types of activations on a GPU; other
// types throw DTypeError.
template <typename F>
void dispatch_cuda_float(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(TypeTag<float>{});
    case DType::kBF16:
      return f(TypeTag<BFloat16>{});
    default:
      throw DTypeError(std::string("[") + op + "] takes f32 or bf16 on a GPU, not " +
                       std::string(dtype_name(dtype)));
  }
}

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
