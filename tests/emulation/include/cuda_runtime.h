// Stand-in for the CUDA runtime: the unchanged *_cuda.cu sources compile with a host compiler
// against this header and run on an emulated device. docs/emulated_device.md describes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/emulation/include/cuda_runtime_api.h"
#include "tests/emulation/include/emulation/device_functions.h"
#include "tests/emulation/include/emulation/warp.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// Static shared memory becomes a function-local static in a section of its own, so that the runtime
// finds it in the symbol table, poisons it before every block and knows its accesses. GCC drops
// section() on statics inside templates but keeps noinit.
#if defined(__clang__)
#define __shared__ static __attribute__((section(".noinit.shared")))
#else
#define __shared__ static __attribute__((noinit))
#endif

namespace emu {
// Takes ownership of `arguments`: `call` runs the kernel with them, `destroy` frees them.
cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel,
                           void (*call)(void*), void (*destroy)(void*), void* arguments,
                           size_t argument_bytes);
cudaError_t set_max_dynamic_shared(const void* kernel, int bytes);
cudaError_t copy_to_symbol(void* symbol, const void* from, size_t bytes);
cudaError_t max_active_blocks(int* blocks, int block_size, size_t dynamic_bytes);
}  // namespace emu

// The only way to launch: a host compiler cannot parse <<<>>>.
template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<std::remove_cv_t<Parameters>...> arguments;
  };
  auto* call = new Call{kernel, {static_cast<Parameters>(std::forward<Arguments>(arguments))...}};
  return emu::enqueue_kernel(
      *config, reinterpret_cast<const void*>(kernel),
      [](void* p) { std::apply(static_cast<Call*>(p)->kernel, static_cast<Call*>(p)->arguments); },
      [](void* p) { delete static_cast<Call*>(p); }, call, sizeof(Call));
}

template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute,
                                 int value) {
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  return emu::set_max_dynamic_shared(reinterpret_cast<const void*>(kernel), value);
}

template <typename... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void (*)(Parameters...),
                                                          int block_size, size_t dynamic_bytes) {
  return emu::max_active_blocks(blocks, block_size, dynamic_bytes);
}

template <typename T>
cudaError_t cudaMemcpyToSymbol(T& symbol, const void* from, size_t bytes) {
  return emu::copy_to_symbol(&symbol, from, bytes);
}
