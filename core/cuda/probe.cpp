#include "core/cuda/probe.h"

#include <cuda_runtime.h>

#include <cstdio>

namespace mrcnn {
namespace {

// Every kernel is compiled for this compute capability or later.
constexpr int kOldestMajor = 8;

std::string describe(const cudaDeviceProp& properties) {
  char memory[32];
  std::snprintf(memory, sizeof memory, ", %.1f GiB",
                static_cast<double>(properties.totalGlobalMem) / (1 << 30));
  return properties.name + std::string(memory);
}

CudaDevices probe() {
  CudaDevices found;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (status != cudaSuccess || count == 0) {
    found.problem = status == cudaErrorInsufficientDriver
                        ? "no NVIDIA driver, or one that is too old"
                        : "no GPU found";
    if (status != cudaSuccess && status != cudaErrorInsufficientDriver &&
        status != cudaErrorNoDevice) {
      found.problem += std::string(" (") + cudaGetErrorString(status) + ")";
    }
    return found;
  }
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) continue;
    if (properties.major < kOldestMajor) {
      found.problem = std::string(properties.name) + " has compute capability " +
                      std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                      ", 8.0 is the oldest supported";
      break;  // indices must stay the driver's
    }
    found.names.push_back(describe(properties));
    found.properties.push_back({.name = properties.name,
                                .major = properties.major,
                                .minor = properties.minor,
                                .memory_bytes = static_cast<int64_t>(properties.totalGlobalMem),
                                .sm_count = properties.multiProcessorCount});
  }
  if (!found.names.empty()) found.problem.clear();
  found.emulated = !found.names.empty() && found.names.front().starts_with("emulated");
  return found;
}

}  // namespace

const CudaDevices& cuda_devices() {
  static const CudaDevices devices = probe();
  return devices;
}

}  // namespace mrcnn
