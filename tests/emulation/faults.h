// Kernels that are wrong on purpose, one fault each, and a few right ones, for emulation_test.cpp.
#pragma once

#include <cstdint>

#include "tests/emulation/include/cuda_runtime_api.h"

namespace emu::planted {

// Each launches one kernel of `threads` threads or as many as the fault needs.
cudaError_t missing_barrier(const float* in, float* out, cudaStream_t stream);
cudaError_t missing_warp_barrier(const float* in, float* out, cudaStream_t stream);
cudaError_t missing_warp_barrier_in_device_memory(float* data, cudaStream_t stream);
cudaError_t write_past_end(float* out, int n, cudaStream_t stream);
cudaError_t read_one(const float* in, float* out, cudaStream_t stream);
cudaError_t divergent_barrier(float* out, cudaStream_t stream);
cudaError_t two_barriers(float* out, cudaStream_t stream);
cudaError_t uninitialised_shared(float* out, cudaStream_t stream);
cudaError_t misaligned_vector(const float* in, float* out, cudaStream_t stream);
cudaError_t empty_grid(cudaStream_t stream);
cudaError_t dynamic_shared(float* out, size_t bytes, bool opt_in, cudaStream_t stream);
cudaError_t past_dynamic_shared(float* out, cudaStream_t stream);
cudaError_t shared_overrun(float* out, int n, cudaStream_t stream);
cudaError_t block_race(float* out, cudaStream_t stream);
cudaError_t shuffle_mask(float* out, cudaStream_t stream);
cudaError_t endless_loop(int* flag, cudaStream_t stream);
cudaError_t deep_recursion(int* out, cudaStream_t stream);

// Right ones.
cudaError_t add_one(int* values, int n, cudaStream_t stream);
cudaError_t scale(const int* from, int* to, int factor, int n, cudaStream_t stream);
cudaError_t count_atomically(int* counters, int blocks, cudaStream_t stream);
cudaError_t warp_results(int* out, cudaStream_t stream);
cudaError_t block_votes(int* out, cudaStream_t stream);
cudaError_t block_order(int* next, int* order, int blocks, cudaStream_t stream);
cudaError_t round_to_bf16(const float* in, uint16_t* out, int n, cudaStream_t stream);
// For measuring: `rounds` barriers in each of blocks x threads threads.
cudaError_t barriers(int blocks, int threads, int rounds, cudaStream_t stream);

}  // namespace emu::planted
