// The way of a kernel into a stream, with the limits of the device.
#include <map>
#include <memory>
#include <string>

#include "tests/emulation/engine.h"
#include "tests/emulation/report.h"
#include "tests/emulation/streams.h"
#include "tests/emulation/symbols.h"

namespace emu {
namespace {

std::map<const void*, size_t>& opted_in_shared() {
  static auto* const bytes = std::make_unique<std::map<const void*, size_t>>().release();
  return *bytes;
}

std::string text_of(const dim3& extents) {
  return "(" + std::to_string(extents.x) + "," + std::to_string(extents.y) + "," +
         std::to_string(extents.z) + ")";
}

// The device's limits; "" if the launch keeps them.
std::string broken_limit(const cudaLaunchConfig_t& config) {
  const dim3 &grid = config.gridDim, &block = config.blockDim;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (uint64_t{grid.x} * grid.y * grid.z == 0) return "empty grid " + text_of(grid);
  if (threads == 0) return "empty block " + text_of(block);
  if (threads > kMaxThreads || block.z > 64) return "too large block " + text_of(block);
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) {
    return "too large grid " + text_of(grid);
  }
  return {};
}

size_t allowed_shared(const void* kernel) {
  const auto found = opted_in_shared().find(kernel);
  return found == opted_in_shared().end() ? kDefaultDynamicBytes : found->second;
}

}  // namespace

cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel,
                           void (*call)(void*), void (*destroy)(void*), void* arguments,
                           size_t argument_bytes) {
  const Locked lock;
  const std::shared_ptr<void> owned(arguments, destroy);
  const std::string problem = broken_limit(config);
  if (!problem.empty()) {
    return refuse(cudaErrorInvalidConfiguration,
                  "launch of " + function_at(kernel) + ": " + problem);
  }
  if (config.dynamicSmemBytes > allowed_shared(kernel)) {
    return refuse(cudaErrorInvalidValue, "launch of " + function_at(kernel) + ": " +
                                             std::to_string(config.dynamicSmemBytes) +
                                             " bytes of dynamic shared memory, allowed are " +
                                             std::to_string(allowed_shared(kernel)));
  }
  const Launch launch{.kernel = kernel,
                      .call = call,
                      .arguments = arguments,
                      .argument_bytes = argument_bytes,
                      .grid = config.gridDim,
                      .block = config.blockDim,
                      .dynamic_bytes = config.dynamicSmemBytes};
  return enqueue(config.stream, "launch", {[launch, owned] { run_launch(launch); }});
}

cudaError_t set_max_dynamic_shared(const void* kernel, int bytes) {
  const Locked lock;
  if (bytes < 0 || static_cast<size_t>(bytes) > kMaxDynamicBytes) {
    return refuse(cudaErrorInvalidValue, std::to_string(bytes) +
                                             " bytes of dynamic shared memory, the device has " +
                                             std::to_string(kMaxDynamicBytes));
  }
  opted_in_shared()[kernel] = static_cast<size_t>(bytes);
  return finish();
}

cudaError_t copy_to_symbol(void* symbol, const void* from, size_t bytes) {
  const Locked lock;
  const cudaError_t refused = refuse_in_capture("cudaMemcpyToSymbol");
  if (refused != cudaSuccess) return refused;
  run_everything();
  std::memcpy(symbol, from, bytes);
  return finish();
}

}  // namespace emu
