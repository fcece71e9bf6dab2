#include "tools/trainer/memory_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/allocator.h"
#include "core/device_memory.h"

namespace mrcnn {
namespace {

std::string mib(int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string holders(const MemoryUse& use, int64_t peak) {
  const int64_t known = use.weights + use.gradients + use.momenta + use.means;
  std::string text = fmt::format("weights {}, gradients {}, momenta {}", mib(use.weights),
                                 mib(use.gradients), mib(use.momenta));
  if (use.means > 0) text += ", running means " + mib(use.means);
  return text + ", activations and all else " + mib(std::max<int64_t>(0, peak - known));
}

}  // namespace

std::string memory_text(const TrainingState* state) {
  const AllocatorStats host = host_allocator_stats();
  const DeviceMemoryStats device = device_memory_stats();
  std::string text =
      fmt::format("tensors on the host: {} now, {} at most, {} kept for reuse",
                  mib(host.live_bytes), mib(host.peak_bytes), mib(host.cached_bytes));
  if (device.peak_bytes > 0) {
    text += fmt::format("; on the GPU: {} now, {} at most", mib(device.live_bytes),
                        mib(device.peak_bytes));
  }
  if (state == nullptr) return text;
  const int64_t peak = device.peak_bytes > 0 ? device.peak_bytes : host.peak_bytes;
  return text + "; of the most: " + holders(state->memory_use(), peak);
}

}  // namespace mrcnn
