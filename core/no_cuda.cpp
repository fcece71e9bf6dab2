// What core answers about GPUs in a build without GPU kernels.
#include "core/cuda/probe.h"
#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/stream.h"

namespace mrcnn {
namespace {

[[noreturn]] void refuse(Device device) {
  throw DeviceError("device " + device.to_string() + " cannot be used: " + cuda_devices().problem);
}

}  // namespace

const CudaDevices& cuda_devices() {
  static const CudaDevices none{
      .names = {}, .properties = {}, .problem = "this build has no GPU kernels"};
  return none;
}

Stream device_stream(Device device) { refuse(device); }
void synchronize(Device device) {
  if (!device.is_cpu()) refuse(device);
}
DeviceLock::DeviceLock(Device device) {
  if (!device.is_cpu()) refuse(device);
}
DeviceLock::~DeviceLock() = default;
DeviceCounters device_counters() { return {}; }

std::shared_ptr<std::byte> allocate_device(int64_t, Device device) { refuse(device); }
void zero_device(std::byte*, int64_t, Device device) { refuse(device); }
void upload_bytes(std::byte*, Device device, const std::byte*, int64_t) { refuse(device); }
void copy_on_device(std::byte*, const std::byte*, int64_t, Device device) { refuse(device); }
void download_bytes(std::span<const HostCopy>, Device device) { refuse(device); }
DeviceMemoryStats device_memory_stats() { return {}; }
void reset_device_peak() {}

// Without a device there is no arena and no graph to be in use.
class MemoryArena::Impl {};
MemoryArena::MemoryArena(Device device) { refuse(device); }
MemoryArena::~MemoryArena() = default;
int64_t MemoryArena::bytes() const { return 0; }
MemoryArena::Scope::Scope(MemoryArena&) {}
MemoryArena::Scope::~Scope() = default;

class CapturedGraph::Impl {};
CapturedGraph::CapturedGraph(Device device, MemoryArena&) { refuse(device); }
CapturedGraph::~CapturedGraph() = default;
CapturedGraph::CapturedGraph(CapturedGraph&&) noexcept = default;
CapturedGraph& CapturedGraph::operator=(CapturedGraph&&) noexcept = default;
void CapturedGraph::warm_up(const std::function<void()>&) {}
void CapturedGraph::record(const std::function<void()>&) {}
void CapturedGraph::replay() const {}
int64_t CapturedGraph::num_nodes() const { return 0; }

}  // namespace mrcnn
