// Host memory for tensors: 64-byte aligned blocks that are kept for reuse when freed, because a
// forward pass asks for the same sizes again and again and fresh pages cost a fault each.
// Thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mrcnn {

inline constexpr size_t kTensorAlignment = 64;

struct AllocatorStats {
  int64_t live_bytes = 0;    // handed out now
  int64_t peak_bytes = 0;    // most ever handed out since reset_peak
  int64_t cached_bytes = 0;  // freed and kept for reuse
};

// A block of at least `bytes` bytes (uninitialised). The deleter gives it back to the cache.
// Throws MemoryError when the system has no more. `bytes` may be 0.
std::shared_ptr<std::byte> allocate_host(int64_t bytes);

// Throws MemoryError unless `bytes` more could be had just now, for calls into libraries that do
// not survive the want of memory.
void require_host_memory(int64_t bytes);

AllocatorStats host_allocator_stats();
void reset_host_allocator_peak();
void release_host_cache();  // returns cached blocks to the system

}  // namespace mrcnn
