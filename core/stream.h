// The queue of a GPU that work is put into, without naming CUDA's headers.
// A device has one stream, which all threads share; ops run in order there and do not wait for the
// host.
#pragma once

#include <cstdint>
#include <mutex>

#include "core/device.h"

struct CUstream_st;

namespace mrcnn {

using Stream = CUstream_st*;  // cudaStream_t

// The stream of a GPU; makes that GPU the calling thread's current one. Throws DeviceError when
// this build or this machine has none.
Stream device_stream(Device device);

// Waits until everything put into the device's stream is done, and throws CudaError if some of it
// failed. Nothing on the CPU.
void synchronize(Device device);

// Keeps a sequence of work on a GPU to itself: another holder for the same GPU waits. What is
// recorded into a graph needs it, because a recording takes in whatever any thread puts into the
// stream. The same thread may hold several. Does nothing on the CPU.
class DeviceLock {
 public:
  explicit DeviceLock(Device device);
  ~DeviceLock();
  DeviceLock(const DeviceLock&) = delete;
  DeviceLock& operator=(const DeviceLock&) = delete;

 private:
  std::recursive_mutex* mutex_ = nullptr;
};

// What the host asked of the GPU since the program started.
struct DeviceCounters {
  int64_t launches = 0;        // kernels and library calls, those recorded into a graph too
  int64_t graph_launches = 0;  // replays of captured graphs
  int64_t syncs = 0;           // times the host waited for the device
  int64_t uploads = 0;         // copies to the device
  int64_t downloads = 0;       // copies to the host
};
DeviceCounters device_counters();

}  // namespace mrcnn
