// Memory of a GPU: blocks from the device's stream-ordered pool, and copies. Nothing here waits for
// the device unless it says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/device.h"

namespace mrcnn {

// At least `bytes` bytes, 256-byte aligned, uninitialised; the deleter gives them back in stream
// order. Inside a MemoryArena::Scope the block comes from the arena. Throws MemoryError with the
// amounts when the device has no more.
std::shared_ptr<std::byte> allocate_device(int64_t bytes, Device device);

void zero_device(std::byte* memory, int64_t bytes, Device device);

// The host's bytes may be changed or freed at once: they go through page-locked staging memory.
void upload_bytes(std::byte* to, Device device, const std::byte* from, int64_t bytes);
void copy_on_device(std::byte* to, const std::byte* from, int64_t bytes, Device device);

struct HostCopy {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;  // on the device
  int64_t bytes = 0;
};
// All of the copies with one wait for the device.
void download_bytes(std::span<const HostCopy> copies, Device device);

struct DeviceMemoryStats {
  int64_t live_bytes = 0;  // handed out now, arenas included
  int64_t peak_bytes = 0;  // most ever handed out since reset_device_peak
};
DeviceMemoryStats device_memory_stats();
void reset_device_peak();

// Memory that stays where it is for as long as the arena lives, so that a captured graph can be
// replayed: what is freed inside a scope is kept and handed out again, in the order of the stream.
// Not thread safe; a scope belongs to one thread.
class MemoryArena {
 public:
  explicit MemoryArena(Device device);
  ~MemoryArena();
  MemoryArena(const MemoryArena&) = delete;
  MemoryArena& operator=(const MemoryArena&) = delete;

  int64_t bytes() const;  // taken from the device

  // While it exists, allocate_device on this thread takes from the arena. Does not nest.
  class Scope {
   public:
    explicit Scope(MemoryArena& arena);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

 private:
  friend std::shared_ptr<std::byte> allocate_device(int64_t bytes, Device device);
  class Impl;
  std::shared_ptr<Impl> impl_;  // blocks that outlive the arena keep it
};

}  // namespace mrcnn
