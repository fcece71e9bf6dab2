// Neighbouring elements of any type that move with one access of up to 16 bytes, unconverted.
// device_math.cuh has the packs that convert activations to f32.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace mrcnn::cuda {

template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) ElementVector {
  static_assert(sizeof(T) * kCount <= 16);
  T values[kCount];
};

template <int kCount, typename T>
__device__ __forceinline__ ElementVector<T, kCount> load_vector(const T* source) {
  return *reinterpret_cast<const ElementVector<T, kCount>*>(source);
}

template <int kCount, typename T>
__device__ __forceinline__ void store_vector(T* target, const ElementVector<T, kCount>& vector) {
  *reinterpret_cast<ElementVector<T, kCount>*>(target) = vector;
}

// Whether vectors and packs may be read from all of these addresses: memory of a tensor starts
// aligned, but a slice of it may start anywhere.
template <typename... Pointers>
bool start_on_16_bytes(const Pointers*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) | ...) % 16) == 0;
}

}  // namespace mrcnn::cuda
