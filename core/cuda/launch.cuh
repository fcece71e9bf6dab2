// The one way to start a kernel, and what cannot be written alike for nvcc and a host compiler.
// MRCNN_SYNC_LAUNCHES=1 in the environment waits after every kernel, so that a fault is reported
// under the name of the kernel that made it.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "core/cuda/check.h"
#include "core/cuda/context.h"
#include "core/stream.h"

namespace mrcnn::cuda {

struct LaunchConfig {
  dim3 grid;
  dim3 block;
  size_t shared_bytes = 0;  // dynamic shared memory, see allow_dynamic_shared
  Stream stream = nullptr;
};

// Starts a kernel. There must be something to do: an empty grid is an error.
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const LaunchConfig& config,
            Arguments&&... arguments) {
  cudaLaunchConfig_t native{};
  native.gridDim = config.grid;
  native.blockDim = config.block;
  native.dynamicSmemBytes = config.shared_bytes;
  native.stream = config.stream;
  check(cudaLaunchKernelEx(&native, kernel, static_cast<Parameters>(arguments)...), name, __FILE__,
        __LINE__);
  after_launch(name, config.stream);
}

// More than 48 KiB of dynamic shared memory must be asked for, once per kernel and device; asking
// again is cheap. Throws CudaError if the device has less.
template <typename... Parameters>
void allow_dynamic_shared(const char* name, void (*kernel)(Parameters...), size_t bytes) {
  if (bytes <= 48 * 1024) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        name, __FILE__, __LINE__);
}

// Blocks of `block` threads for `count` items, at least one. Kernels loop over what is left when
// `most` blocks do not cover all items.
inline dim3 blocks_for(int64_t count, int64_t block, int64_t most = 0x7fffffff) {
  const int64_t wanted = (count + block - 1) / block;
  return dim3(static_cast<unsigned>(wanted < 1 ? 1 : wanted < most ? wanted : most));
}

// The first item of the calling thread and the number of threads, for loops over all items.
__device__ __forceinline__ int64_t first_item() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t item_stride() {
  return static_cast<int64_t>(gridDim.x) * blockDim.x;
}

// The block's dynamic shared memory, 16-byte aligned.
template <typename T>
__device__ __forceinline__ T* dynamic_shared_memory() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char dynamic_shared_bytes[];
  return reinterpret_cast<T*>(dynamic_shared_bytes);
#else
  return static_cast<T*>(emu::dynamic_shared());
#endif
}

}  // namespace mrcnn::cuda
