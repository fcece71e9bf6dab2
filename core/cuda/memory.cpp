#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/handles.h"
#include "core/device_memory.h"
#include "core/error.h"
#include "core/fault.h"

namespace mrcnn {
namespace {

// Sizes of arena blocks: 8 steps per power of two, so that near-equal sizes share them.
int64_t size_class(int64_t bytes) {
  const auto wanted = std::max<uint64_t>(static_cast<uint64_t>(bytes), 512);
  const uint64_t step = std::max<uint64_t>(std::bit_floor(wanted) / 8, 512);
  return static_cast<int64_t>((wanted + step - 1) / step * step);
}

std::atomic<int64_t> g_live{0};
std::atomic<int64_t> g_peak{0};

void count_taken(int64_t bytes) {
  const int64_t live = g_live += bytes;
  int64_t peak = g_peak;
  while (live > peak && !g_peak.compare_exchange_weak(peak, live)) {
  }
}

std::byte* take(int64_t bytes, Device device) {
  const Stream stream = device_stream(device);
  if (cuda::is_capturing(stream)) {
    throw CudaError("[allocate_device] " + std::to_string(bytes) +
                    " bytes are wanted while a graph is recorded that its first run did not want");
  }
  void* memory = nullptr;
  const bool refused = fault_at({.name = "cudaMalloc"}).kind == FaultKind::kError;
  const cudaError_t status = refused ? cudaErrorMemoryAllocation
                                     : cudaMallocAsync(&memory, static_cast<size_t>(bytes), stream);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    size_t free_bytes = 0, total_bytes = 0;
    static_cast<void>(cudaMemGetInfo(&free_bytes, &total_bytes));
    throw MemoryError("[allocate_device] no memory for " + std::to_string(bytes) + " bytes on " +
                      device.to_string() + ": " + std::to_string(g_live) +
                      " bytes are in use by tensors, " + std::to_string(free_bytes) + " of " +
                      std::to_string(total_bytes) + " are free");
  }
  MRCNN_CUDA_CHECK(status);
  count_taken(bytes);
  return static_cast<std::byte*>(memory);
}

void give_back(std::byte* memory, int64_t bytes, Device device) noexcept {
  g_live -= bytes;
  try {
    // An error here belongs to earlier work, which reports it itself.
    static_cast<void>(cudaFreeAsync(memory, device_stream(device)));
  } catch (const Error&) {
  }
}

}  // namespace

class MemoryArena::Impl {
 public:
  explicit Impl(Device device) : device_(device) {}
  ~Impl() {
    for (const auto& [memory, bytes] : blocks_) give_back(memory, bytes, device_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // A kept block serves its own size class only: then a second run of the same requests finds
  // everything the first one took, whatever else is kept.
  std::byte* take_block(int64_t bytes) {
    const int64_t wanted = size_class(bytes);
    std::vector<std::byte*>& kept = free_[wanted];
    if (!kept.empty()) {
      std::byte* const memory = kept.back();
      kept.pop_back();
      return memory;
    }
    std::byte* const memory = take(wanted, device_);
    blocks_[memory] = wanted;
    return memory;
  }

  void keep(std::byte* memory) { free_[blocks_.at(memory)].push_back(memory); }

  Device device() const { return device_; }
  int64_t bytes() const {
    int64_t sum = 0;
    for (const auto& [memory, bytes] : blocks_) sum += bytes;
    return sum;
  }

  static inline thread_local std::shared_ptr<Impl> t_current;

 private:
  Device device_;
  std::map<std::byte*, int64_t> blocks_;
  std::map<int64_t, std::vector<std::byte*>> free_;
};

MemoryArena::MemoryArena(Device device) : impl_(std::make_shared<Impl>(device)) {}
MemoryArena::~MemoryArena() = default;
int64_t MemoryArena::bytes() const { return impl_->bytes(); }

MemoryArena::Scope::Scope(MemoryArena& arena) {
  if (Impl::t_current) throw Error(ExitCode::kInternal, "[memory_arena] scopes do not nest");
  Impl::t_current = arena.impl_;
}
MemoryArena::Scope::~Scope() { Impl::t_current.reset(); }

std::shared_ptr<std::byte> allocate_device(int64_t bytes, Device device) {
  constexpr int64_t kMaxBytes = int64_t{1} << 46;
  if (bytes < 0 || bytes > kMaxBytes) {
    throw MemoryError("[allocate_device] unreasonable size of " + std::to_string(bytes) + " bytes");
  }
  const auto& arena = MemoryArena::Impl::t_current;
  if (arena && arena->device() == device) {
    return {arena->take_block(bytes), [arena](std::byte* memory) { arena->keep(memory); }};
  }
  return cuda::allocate_from_pool(bytes, device);
}

std::shared_ptr<std::byte> cuda::allocate_from_pool(int64_t bytes, Device device) {
  const int64_t wanted = std::max<int64_t>(bytes, 1);  // an empty tensor has an address too
  return {take(wanted, device),
          [wanted, device](std::byte* memory) { give_back(memory, wanted, device); }};
}

void zero_device(std::byte* memory, int64_t bytes, Device device) {
  if (bytes == 0) return;
  MRCNN_CUDA_CHECK(cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), device_stream(device)));
}

void copy_on_device(std::byte* to, const std::byte* from, int64_t bytes, Device device) {
  if (bytes == 0) return;
  MRCNN_CUDA_CHECK(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice,
                                   device_stream(device)));
}

DeviceMemoryStats device_memory_stats() { return {.live_bytes = g_live, .peak_bytes = g_peak}; }
void reset_device_peak() { g_peak = g_live.load(); }

}  // namespace mrcnn
