#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <utility>

#include "tests/emulation/faults.h"

namespace emu::planted {
namespace {

__global__ void missing_barrier_kernel(const float* in, float* out) {
  __shared__ float tile[256];
  tile[threadIdx.x] = in[threadIdx.x];
  out[threadIdx.x] = tile[255 - threadIdx.x];
}

// A shuffle exchanges values but orders no memory.
__global__ void missing_warp_barrier_kernel(const float* in, float* out) {
  __shared__ float tile[32];
  tile[threadIdx.x] = in[threadIdx.x];
  const float other = __shfl_xor_sync(0xffffffffu, in[threadIdx.x], 1);
  out[threadIdx.x] = other + tile[threadIdx.x ^ 1];
}

__global__ void missing_warp_barrier_in_device_memory_kernel(float* data) {
  data[threadIdx.x] = 1.0f;
  __shfl_sync(0xffffffffu, 0, 0);
  data[32 + threadIdx.x] = data[threadIdx.x ^ 1];
}

template <int kBlock>
__global__ void write_past_end_kernel(float* out, int n) {
  const int i = static_cast<int>(blockIdx.x) * kBlock + static_cast<int>(threadIdx.x);
  if (i <= n) out[i] = 1.0f;
}

__global__ void read_one_kernel(const float* in, float* out) { *out = *in + 1.0f; }

__global__ void divergent_barrier_kernel(float* out) {
  if (threadIdx.x < 128) __syncthreads();
  out[threadIdx.x] = 1.0f;
}

__global__ void two_barriers_kernel(float* out) {
  if (threadIdx.x & 32) {
    out[threadIdx.x] = 1.0f;
    __syncthreads();
  } else {
    __syncthreads();
    out[threadIdx.x] = 2.0f;
  }
}

__global__ void uninitialised_shared_kernel(float* out) {
  __shared__ float partial[8];
  if (threadIdx.x < 7) partial[threadIdx.x] = 1.0f;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float sum = 0.0f;
  for (int i = 0; i < 8; ++i) sum += partial[i];
  *out = sum;
}

__global__ void misaligned_vector_kernel(const float* in, float* out) {
  const float4 v = *reinterpret_cast<const float4*>(in + 2);
  *out = v.x + v.w;
}

__global__ void nothing_kernel() {}

__global__ void dynamic_shared_kernel(float* out, int words) {
  auto* const values = static_cast<float*>(emu::dynamic_shared());
  for (int i = static_cast<int>(threadIdx.x); i < words; i += 32) values[i] = 1.0f;
  __syncthreads();
  if (threadIdx.x == 0) *out = values[words - 1];
}

__global__ void shared_overrun_kernel(float* out, int n) {
  __shared__ float a[40];
  for (int i = static_cast<int>(threadIdx.x); i < n; i += 32) a[i] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = a[threadIdx.x];
}

__global__ void block_race_kernel(float* out) {
  if (threadIdx.x == 0) *out = static_cast<float>(blockIdx.x);
}

// Half of the lanes never come.
__global__ void shuffle_mask_kernel(float* out) {
  float v = 1.0f;
  if (threadIdx.x < 16) v = __shfl_down_sync(0xffffffffu, v, 1);
  out[threadIdx.x] = v;
}

__global__ void endless_loop_kernel(int* flag) {
  while (atomicAdd(flag, 0) == 0) {
  }
}

__device__ int deep(int depth) {
  volatile char frame[1024];
  frame[depth % 1024] = 1;
  return depth == 0 ? 0 : deep(depth - 1) + frame[depth % 1024];
}
__global__ void deep_recursion_kernel(int* out) { *out = deep(1000); }

__global__ void add_one_kernel(int* values, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) values[i] += 1;
}

__global__ void scale_kernel(const int* from, int* to, int factor, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) to[i] = from[i] * factor;
}

__global__ void count_atomically_kernel(int* counters) {
  __shared__ int in_block;
  if (threadIdx.x == 0) in_block = 0;
  __syncthreads();
  atomicAdd(&in_block, 1);
  atomicMax(&counters[1], static_cast<int>(threadIdx.x));
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(&counters[0], in_block);
  if (threadIdx.x == 0) atomicOr(&counters[2], 1 << blockIdx.x);
}

// One row of 32 results per operation.
__global__ void warp_results_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  constexpr unsigned kAll = 0xffffffffu;
  int* row = out + lane;
  const auto put = [&](int value) {
    *row = value;
    row += 32;
  };
  put(__shfl_sync(kAll, lane * 10, 3));
  put(__shfl_up_sync(kAll, lane, 1));
  put(__shfl_down_sync(kAll, lane, 2));
  put(__shfl_xor_sync(kAll, lane, 5));
  put(__shfl_down_sync(kAll, lane, 1, 8));
  put(static_cast<int>(__ballot_sync(kAll, lane % 3 == 0)));
  put(__any_sync(kAll, lane == 31));
  put(__all_sync(kAll, lane != 31));
  put(static_cast<int>(__match_any_sync(kAll, lane / 4)));
  put(__reduce_add_sync(kAll, lane - 40));
  put(__reduce_min_sync(kAll, lane - 40));
  put(static_cast<int>(__reduce_max_sync(kAll, static_cast<unsigned>(lane))));
  // Two halves with masks of their own, in divergent branches.
  const unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
  put(lane < 16 ? __reduce_add_sync(half, 1) : __reduce_add_sync(half, 100));
  const double wide = __shfl_sync(kAll, lane + 0.5, 7);
  put(wide == 7.5);
}

__global__ void block_votes_kernel(int* out) {
  const int count = __syncthreads_count(threadIdx.x % 2 == 0);
  const int all = __syncthreads_and(threadIdx.x < 64);
  const int any = __syncthreads_or(threadIdx.x == 63);
  if (threadIdx.x != 63) return;
  out[0] = count;
  out[1] = all;
  out[2] = any;
}

__global__ void block_order_kernel(int* next, int* order) {
  order[atomicAdd(next, 1)] = static_cast<int>(blockIdx.x);
}

__global__ void round_to_bf16_kernel(const float* in, uint16_t* out, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < n) out[i] = __bfloat16_as_ushort(__float2bfloat16_rn(in[i]));
}

__global__ void barriers_kernel(int rounds) {
  for (int i = 0; i < rounds; ++i) __syncthreads();
}

template <typename... Parameters, typename... Arguments>
cudaError_t run(void (*kernel)(Parameters...), int blocks, int threads, size_t shared_bytes,
                cudaStream_t stream, Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace

cudaError_t missing_barrier(const float* in, float* out, cudaStream_t stream) {
  return run(missing_barrier_kernel, 1, 256, 0, stream, in, out);
}
cudaError_t missing_warp_barrier(const float* in, float* out, cudaStream_t stream) {
  return run(missing_warp_barrier_kernel, 1, 32, 0, stream, in, out);
}
cudaError_t missing_warp_barrier_in_device_memory(float* data, cudaStream_t stream) {
  return run(missing_warp_barrier_in_device_memory_kernel, 1, 32, 0, stream, data);
}
cudaError_t write_past_end(float* out, int n, cudaStream_t stream) {
  return run(write_past_end_kernel<128>, n / 128 + 1, 128, 0, stream, out, n);
}
cudaError_t read_one(const float* in, float* out, cudaStream_t stream) {
  return run(read_one_kernel, 1, 1, 0, stream, in, out);
}
cudaError_t divergent_barrier(float* out, cudaStream_t stream) {
  return run(divergent_barrier_kernel, 4, 256, 0, stream, out);
}
cudaError_t two_barriers(float* out, cudaStream_t stream) {
  return run(two_barriers_kernel, 1, 256, 0, stream, out);
}
cudaError_t uninitialised_shared(float* out, cudaStream_t stream) {
  return run(uninitialised_shared_kernel, 1, 64, 0, stream, out);
}
cudaError_t misaligned_vector(const float* in, float* out, cudaStream_t stream) {
  return run(misaligned_vector_kernel, 1, 1, 0, stream, in, out);
}
cudaError_t empty_grid(cudaStream_t stream) { return run(nothing_kernel, 0, 32, 0, stream); }
cudaError_t dynamic_shared(float* out, size_t bytes, bool opt_in, cudaStream_t stream) {
  if (opt_in) {
    const cudaError_t status =
        cudaFuncSetAttribute(dynamic_shared_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes));
    if (status != cudaSuccess) return status;
  }
  return run(dynamic_shared_kernel, 1, 32, bytes, stream, out, static_cast<int>(bytes / 4));
}
cudaError_t past_dynamic_shared(float* out, cudaStream_t stream) {
  return run(dynamic_shared_kernel, 1, 32, 256, stream, out, 65);
}
cudaError_t shared_overrun(float* out, int n, cudaStream_t stream) {
  return run(shared_overrun_kernel, 1, 32, 0, stream, out, n);
}
cudaError_t block_race(float* out, cudaStream_t stream) {
  return run(block_race_kernel, 4, 64, 0, stream, out);
}
cudaError_t shuffle_mask(float* out, cudaStream_t stream) {
  return run(shuffle_mask_kernel, 1, 64, 0, stream, out);
}
cudaError_t endless_loop(int* flag, cudaStream_t stream) {
  return run(endless_loop_kernel, 1, 1, 0, stream, flag);
}
cudaError_t deep_recursion(int* out, cudaStream_t stream) {
  return run(deep_recursion_kernel, 1, 1, 0, stream, out);
}

cudaError_t add_one(int* values, int n, cudaStream_t stream) {
  return run(add_one_kernel, (n + 63) / 64, 64, 0, stream, values, n);
}
cudaError_t scale(const int* from, int* to, int factor, int n, cudaStream_t stream) {
  return run(scale_kernel, (n + 63) / 64, 64, 0, stream, from, to, factor, n);
}
cudaError_t count_atomically(int* counters, int blocks, cudaStream_t stream) {
  return run(count_atomically_kernel, blocks, 96, 0, stream, counters);
}
cudaError_t warp_results(int* out, cudaStream_t stream) {
  return run(warp_results_kernel, 1, 32, 0, stream, out);
}
cudaError_t block_votes(int* out, cudaStream_t stream) {
  return run(block_votes_kernel, 1, 64, 0, stream, out);
}
cudaError_t block_order(int* next, int* order, int blocks, cudaStream_t stream) {
  return run(block_order_kernel, blocks, 1, 0, stream, next, order);
}
cudaError_t round_to_bf16(const float* in, uint16_t* out, int n, cudaStream_t stream) {
  return run(round_to_bf16_kernel, 1, 256, 0, stream, in, out, n);
}
cudaError_t barriers(int blocks, int threads, int rounds, cudaStream_t stream) {
  return run(barriers_kernel, blocks, threads, 0, stream, rounds);
}

}  // namespace emu::planted
