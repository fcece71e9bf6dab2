#include "core/allocator.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/fault.h"

namespace mrcnn {
namespace {

// Sizes are rounded up to 8 steps per power of two, so that near-equal requests share blocks and
// at most 1/8 of a block is wasted.
size_t size_class(int64_t bytes) {
  const auto wanted = std::max<size_t>(static_cast<size_t>(bytes), kTensorAlignment);
  const size_t step = std::max<size_t>(std::bit_floor(wanted) / 8, kTensorAlignment);
  return (wanted + step - 1) / step * step;
}

class HostCache {
 public:
  std::byte* take(size_t block_bytes) {
    if (fault_at({.name = "alloc"}).kind == FaultKind::kError) fail(block_bytes);
    std::byte* block = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = free_.find(block_bytes);
      if (found != free_.end() && !found->second.empty()) {
        block = found->second.back();
        found->second.pop_back();
        stats_.cached_bytes -= static_cast<int64_t>(block_bytes);
      }
    }
    if (block == nullptr) block = fresh(block_bytes);
    const std::lock_guard lock(mutex_);
    stats_.live_bytes += static_cast<int64_t>(block_bytes);
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.live_bytes);
    return block;
  }

  // Fresh pages: what the heap has left in pieces is of no use to code that wants pages.
  void require(size_t bytes) {
    if (has_pages(bytes)) return;
    release();
    malloc_trim(0);
    if (!has_pages(bytes)) fail(bytes);
  }

  void give_back(std::byte* block, size_t block_bytes) noexcept {
    const std::lock_guard lock(mutex_);
    stats_.live_bytes -= static_cast<int64_t>(block_bytes);
    try {
      free_[block_bytes].push_back(block);
      stats_.cached_bytes += static_cast<int64_t>(block_bytes);
    } catch (const std::bad_alloc&) {
      std::free(block);
    }
  }

  void release() {
    const std::lock_guard lock(mutex_);
    for (auto& [size, blocks] : free_) {
      for (std::byte* block : blocks) std::free(block);
    }
    free_.clear();
    stats_.cached_bytes = 0;
  }

  AllocatorStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak_bytes = stats_.live_bytes;
  }

 private:
  static bool has_pages(size_t bytes) {
    void* const pages =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return false;
    munmap(pages, bytes);
    return true;
  }

  std::byte* fresh(size_t block_bytes) {
    void* memory = std::aligned_alloc(kTensorAlignment, block_bytes);
    if (memory == nullptr) {
      release();
      memory = std::aligned_alloc(kTensorAlignment, block_bytes);
    }
    if (memory == nullptr) fail(block_bytes);
    return static_cast<std::byte*>(memory);
  }

  [[noreturn]] void fail(size_t block_bytes) {
    throw MemoryError("[allocate_host] no memory for " + std::to_string(block_bytes) + " bytes; " +
                      std::to_string(stats().live_bytes) + " bytes are in use by tensors");
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;
  AllocatorStats stats_;
};

// Never destroyed: tensors with static storage duration may be freed after any destructor here.
HostCache& host_cache() {
  static auto* const cache = std::make_unique<HostCache>().release();
  return *cache;
}

}  // namespace

std::shared_ptr<std::byte> allocate_host(int64_t bytes) {
  constexpr int64_t kMaxBytes = int64_t{1} << 46;
  if (bytes < 0 || bytes > kMaxBytes) {
    throw MemoryError("[allocate_host] unreasonable size of " + std::to_string(bytes) + " bytes");
  }
  const size_t block_bytes = size_class(bytes);
  std::byte* block = host_cache().take(block_bytes);
  return {block, [block_bytes](std::byte* p) { host_cache().give_back(p, block_bytes); }};
}

void require_host_memory(int64_t bytes) { host_cache().require(size_class(bytes)); }
AllocatorStats host_allocator_stats() { return host_cache().stats(); }
void reset_host_allocator_peak() { host_cache().reset_peak(); }
void release_host_cache() { host_cache().release(); }

}  // namespace mrcnn
