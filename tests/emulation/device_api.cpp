// What the device says about itself, and its controls.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/report.h"

namespace emu {
namespace {

constexpr int kMultiprocessors = 4;
constexpr int kThreadsPerMultiprocessor = 2048;
constexpr size_t kSharedPerMultiprocessor = 228 * 1024;
constexpr size_t kReservedPerBlock = 1024;  // shared memory that the system takes

}  // namespace

Options& options() {
  static Options values = [] {
    Options initial;
    if (const char* const seed = std::getenv("MRCNN_EMU_SEED")) {
      initial.seed = std::strtoull(seed, nullptr, 10);
    }
    return initial;
  }();
  return values;
}

Stats& stats() {
  static Stats values{};
  return values;
}

cudaError_t max_active_blocks(int* blocks, int block_size, size_t dynamic_bytes) {
  if (block_size <= 0 || block_size > kMaxThreads || dynamic_bytes > kMaxDynamicBytes) {
    return refuse(cudaErrorInvalidValue, "occupancy of an impossible block");
  }
  const size_t by_memory = kSharedPerMultiprocessor / (dynamic_bytes + kReservedPerBlock);
  *blocks = std::min({32, kThreadsPerMultiprocessor / block_size, static_cast<int>(by_memory)});
  return finish();
}

}  // namespace emu

using emu::finish;
using emu::refuse;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return finish();
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return finish();
}
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? finish() : refuse(cudaErrorInvalidDevice, "there is only device 0");
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return finish();
}
cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return refuse(cudaErrorInvalidDevice, "there is only device 0");
  *properties = {};
  std::strcpy(properties->name, "emulated");
  properties->totalGlobalMem = emu::device_memory_use().total;
  properties->sharedMemPerBlock = emu::kDefaultDynamicBytes;
  properties->sharedMemPerBlockOptin = emu::kMaxDynamicBytes;
  properties->sharedMemPerMultiprocessor = emu::kSharedPerMultiprocessor;
  properties->major = 9;
  properties->multiProcessorCount = emu::kMultiprocessors;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = emu::kMaxThreads;
  properties->maxThreadsPerMultiProcessor = emu::kThreadsPerMultiprocessor;
  properties->l2CacheSize = 50 << 20;
  properties->regsPerBlock = 65536;
  properties->memoryBusWidth = 5120;
  return finish();
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  const cudaError_t status = cudaGetDeviceProperties(&properties, device);
  if (status != cudaSuccess) return status;
  const std::map<cudaDeviceAttr, int> values = {
      {cudaDevAttrMaxThreadsPerBlock, properties.maxThreadsPerBlock},
      {cudaDevAttrMaxSharedMemoryPerBlock, static_cast<int>(properties.sharedMemPerBlock)},
      {cudaDevAttrWarpSize, properties.warpSize},
      {cudaDevAttrMultiProcessorCount, properties.multiProcessorCount},
      {cudaDevAttrL2CacheSize, properties.l2CacheSize},
      {cudaDevAttrMaxThreadsPerMultiProcessor, properties.maxThreadsPerMultiProcessor},
      {cudaDevAttrComputeCapabilityMajor, properties.major},
      {cudaDevAttrComputeCapabilityMinor, properties.minor},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor,
       static_cast<int>(properties.sharedMemPerMultiprocessor)},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin,
       static_cast<int>(properties.sharedMemPerBlockOptin)},
      {cudaDevAttrMemoryPoolsSupported, 1},
  };
  const auto found = values.find(attribute);
  if (found == values.end()) return refuse(cudaErrorInvalidValue, "unknown device attribute");
  *value = found->second;
  return finish();
}
