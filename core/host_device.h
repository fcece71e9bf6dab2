// Marks a function that host code and CUDA kernels share; nothing outside a CUDA compiler.
#pragma once

#if defined(__CUDACC__)
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif
