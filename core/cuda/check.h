// Errors of the CUDA runtime as exceptions that print the expression, the place and the driver's
// own words.
#pragma once

#include <cuda_runtime.h>

namespace mrcnn::cuda {

// Throws MemoryError for lack of memory, CudaError otherwise; nothing on cudaSuccess.
// `what` is the expression or the kernel's name.
void check(cudaError_t status, const char* what, const char* file, int line);

}  // namespace mrcnn::cuda

#define MRCNN_CUDA_CHECK(expression) \
  ::mrcnn::cuda::check((expression), #expression, __FILE__, __LINE__)
