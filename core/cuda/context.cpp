#include "core/cuda/context.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/cuda/handles.h"
#include "core/cuda/probe.h"
#include "core/device_memory.h"
#include "core/error.h"

namespace mrcnn {
namespace cuda {
namespace {

constexpr int64_t kFirstWorkspace = int64_t{32} << 20;  // what cuBLASLt recommends on Hopper

struct Counters {
  std::atomic<int64_t> launches{0}, graph_launches{0}, syncs{0}, uploads{0}, downloads{0};
};
Counters g_counters;

// Captured graphs remember addresses, so memory that became too small is kept.
struct Workspace {
  std::vector<std::shared_ptr<std::byte>> blocks;  // the last one is in use
  int64_t bytes = 0;
};

struct DeviceState {
  OwnedStream stream;
  cudaDeviceProp properties{};
  std::recursive_mutex sequence_mutex;  // DeviceLock's
  std::mutex workspace_mutex;
  std::map<Stream, Workspace> workspaces;

  explicit DeviceState(int index) {
    MRCNN_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
    // Freed memory stays with the pool: the next forward pass wants the same blocks.
    cudaMemPool_t pool = nullptr;
    MRCNN_CUDA_CHECK(cudaDeviceGetDefaultMemPool(&pool, index));
    uint64_t keep_all = UINT64_MAX;
    MRCNN_CUDA_CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep_all));
  }
};

// Never destroyed: the driver may be gone when static destructors run.
DeviceState& state_of(Device device) {
  static auto* const mutex = std::make_unique<std::mutex>().release();
  static auto* const states =
      std::make_unique<std::map<int, std::unique_ptr<DeviceState>>>().release();
  const std::lock_guard lock(*mutex);
  std::unique_ptr<DeviceState>& state = (*states)[device.index];
  if (!state) state = std::make_unique<DeviceState>(device.index);
  return *state;
}

bool sync_launches() {
  static const bool on = [] {
    const char* const value = std::getenv("MRCNN_SYNC_LAUNCHES");
    return value != nullptr && *value != '\0' && std::string_view(value) != "0";
  }();
  return on;
}

}  // namespace

void make_current(Device device) {
  const CudaDevices& devices = cuda_devices();
  if (!device.is_cuda() || device.index >= static_cast<int>(devices.names.size())) {
    throw DeviceError("device " + device.to_string() + " cannot be used: " +
                      (devices.names.empty()
                           ? devices.problem
                           : "there are " + std::to_string(devices.names.size()) + " GPUs"));
  }
  thread_local int current = -1;
  if (current == device.index) return;
  MRCNN_CUDA_CHECK(cudaSetDevice(device.index));
  current = device.index;
}

cudaDeviceProp device_properties(Device device) {
  make_current(device);
  return state_of(device).properties;
}

Device current_device() {
  int index = 0;
  MRCNN_CUDA_CHECK(cudaGetDevice(&index));
  return {DeviceKind::kCuda, index};
}

void* workspace(int64_t bytes, Stream stream) {
  DeviceState& state = state_of(current_device());
  const std::lock_guard lock(state.workspace_mutex);
  Workspace& space = state.workspaces[stream];
  if (bytes > space.bytes || space.blocks.empty()) {
    if (is_capturing(stream)) {
      throw CudaError("[cuda] a library call wants " + std::to_string(bytes) +
                      " bytes of workspace while a graph is recorded, and there are " +
                      std::to_string(space.bytes) + "; it must run once before the recording");
    }
    const int64_t grown = std::max({bytes, 2 * space.bytes, kFirstWorkspace});
    space.blocks.push_back(allocate_from_pool(grown, current_device()));
    space.bytes = grown;
  }
  return space.blocks.back().get();
}

bool is_capturing(Stream stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  MRCNN_CUDA_CHECK(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

void after_launch(const char* name, Stream stream) {
  count_launch();
  if (!sync_launches() || is_capturing(stream)) return;
  check(cudaStreamSynchronize(stream), name, __FILE__, __LINE__);
  count_sync();
}

void count_launch() { ++g_counters.launches; }
void count_graph_launch() { ++g_counters.graph_launches; }
void count_sync() { ++g_counters.syncs; }
void count_upload() { ++g_counters.uploads; }
void count_download() { ++g_counters.downloads; }

}  // namespace cuda

Stream device_stream(Device device) {
  cuda::make_current(device);
  return cuda::state_of(device).stream.get();
}

void synchronize(Device device) {
  if (device.is_cpu()) return;
  MRCNN_CUDA_CHECK(cudaStreamSynchronize(device_stream(device)));
  cuda::count_sync();
}

DeviceLock::DeviceLock(Device device) {
  if (device.is_cpu()) return;
  cuda::make_current(device);
  mutex_ = &cuda::state_of(device).sequence_mutex;
  mutex_->lock();
}

DeviceLock::~DeviceLock() {
  if (mutex_ != nullptr) mutex_->unlock();
}

DeviceCounters device_counters() {
  const cuda::Counters& c = cuda::g_counters;
  return {.launches = c.launches,
          .graph_launches = c.graph_launches,
          .syncs = c.syncs,
          .uploads = c.uploads,
          .downloads = c.downloads};
}

}  // namespace mrcnn
