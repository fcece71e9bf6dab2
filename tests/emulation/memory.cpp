#include "tests/emulation/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/emulation/checks.h"
#include "tests/emulation/crash.h"
#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"

namespace emu {
namespace {

constexpr size_t kArenaBytes = size_t{16} << 30;  // reserved, not used
constexpr size_t kAlignment = 256;                // the device's
constexpr size_t kPageBytes = size_t{2} << 20;    // few of them make changing access cheap
// Released memory of this size stays untouched, so that a use after free finds it.
constexpr size_t kQuarantineBytes = size_t{8} << 20;

struct Allocation {
  size_t bytes, span;
  bool live;
};

size_t round_up(size_t value, size_t step) { return (value + step - 1) / step * step; }

class Arena {
 public:
  Arena() {
    void* const memory = mmap(nullptr, kArenaBytes + kPageBytes, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      std::perror("emulated CUDA: reserving device memory");
      std::abort();
    }
    base_ = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(memory), kPageBytes));
    madvise(base_, kArenaBytes, MADV_HUGEPAGE);
    start_checks(base_, kArenaBytes);
    install_crash_reports();
  }

  bool holds(const void* address) const {
    return static_cast<size_t>(static_cast<const char*>(address) - base_) < kArenaBytes;
  }

  char* allocate(size_t bytes) {
    // The red zone grows with the allocation: larger strides, larger overshoots.
    const size_t red_zone = std::clamp<size_t>(bytes / 8, kAlignment, 4096);
    const size_t span = round_up(bytes + red_zone, kAlignment);
    char* const begin = take_span(span);
    if (begin == nullptr) return nullptr;
    allocations_[begin] = {bytes, span, true};
    live_bytes_ += bytes;
    ++live_;
    mark_fresh(begin, bytes, span);
    if (depth_ > 0) {
      std::memset(begin, kPoison, bytes);
    } else {
      unpoisoned_.push_back(begin);
    }
    return begin;
  }

  bool release(char* begin) {
    const auto found = allocations_.find(begin);
    if (found == allocations_.end() || !found->second.live) return false;
    Allocation& allocation = found->second;
    allocation.live = false;
    live_bytes_ -= allocation.bytes;
    --live_;
    mark_released(begin, allocation.bytes);
    quarantine_.push_back(begin);
    quarantine_bytes_ += allocation.span;
    while (quarantine_bytes_ > kQuarantineBytes) {
      char* const oldest = quarantine_.front();
      quarantine_.pop_front();
      const size_t span = allocations_.at(oldest).span;
      quarantine_bytes_ -= span;
      add_free(oldest, span);
    }
    return true;
  }

  // The allocation that begins at or before the address, live or not.
  const std::pair<char* const, Allocation>* before(const void* address) const {
    const auto next =
        allocations_.upper_bound(const_cast<char*>(static_cast<const char*>(address)));
    return next == allocations_.begin() ? nullptr : &*std::prev(next);
  }

  // Host code waits meanwhile, or does the device's work.
  void open() {
    if (depth_++ > 0) return;
    protect(PROT_READ | PROT_WRITE);
    for (char* const begin : unpoisoned_) {
      const Allocation& allocation = allocations_.at(begin);
      if (allocation.live) std::memset(begin, kPoison, allocation.bytes);
    }
    unpoisoned_.clear();
  }
  void close() {
    if (--depth_ == 0) protect(PROT_NONE);
  }
  int suspend() {
    if (depth_ > 0) protect(PROT_NONE);
    return std::exchange(depth_, 0);
  }
  void resume(int depth) {
    if (depth > 0) open();
    depth_ = depth;
  }

  size_t live() const { return live_; }
  DeviceMemoryUse use() const { return {kArenaBytes, live_bytes_, used_}; }

 private:
  // The lowest free piece that is large enough: few pages are in use then.
  char* take_span(size_t span) {
    for (auto piece = free_.begin(); piece != free_.end(); ++piece) {
      const auto [begin, bytes] = *piece;
      if (bytes < span) continue;
      free_.erase(piece);
      if (bytes > span) free_.emplace(begin + span, bytes - span);
      // Forgets who was here before.
      allocations_.erase(allocations_.lower_bound(begin), allocations_.lower_bound(begin + span));
      return begin;
    }
    if (span > kArenaBytes - used_) return nullptr;
    char* const begin = base_ + used_;
    used_ += span;
    const size_t end = round_up(used_, kPageBytes);
    if (end > accessible_) {
      accessible_ = end;
      if (depth_ > 0) protect(PROT_READ | PROT_WRITE);
    }
    return begin;
  }

  // Joins the piece with free neighbours.
  void add_free(char* begin, size_t bytes) {
    auto piece = free_.emplace(begin, bytes).first;
    const auto next = std::next(piece);
    if (next != free_.end() && next->first == begin + bytes) {
      piece->second += next->second;
      free_.erase(next);
    }
    if (piece == free_.begin()) return;
    const auto previous = std::prev(piece);
    if (previous->first + previous->second != begin) return;
    previous->second += piece->second;
    free_.erase(piece);
  }

  void protect(int access) {
    if (accessible_ == 0 || mprotect(base_, accessible_, access) == 0) return;
    std::perror("emulated CUDA: mprotect of device memory");
    std::abort();
  }

  char* base_;
  size_t used_ = 0, accessible_ = 0, live_bytes_ = 0, live_ = 0, quarantine_bytes_ = 0;
  int depth_ = 0;
  std::map<char*, Allocation> allocations_;
  std::map<char*, size_t> free_;
  std::deque<char*> quarantine_;
  std::vector<char*> unpoisoned_;  // written when the memory is accessible the next time
};

// Never destroyed: static destructors of the program may release device memory.
Arena& arena() {
  static Arena* const shared = std::make_unique<Arena>().release();
  return *shared;
}

std::map<const char*, size_t>& pinned() {
  static auto* const ranges = std::make_unique<std::map<const char*, size_t>>().release();
  return *ranges;
}

}  // namespace

void* allocate_device(size_t bytes) { return arena().allocate(bytes); }
bool release_device(void* pointer) { return arena().release(static_cast<char*>(pointer)); }
size_t live_allocations() { return arena().live(); }
DeviceMemoryUse device_memory_use() { return arena().use(); }
bool in_device_memory(const void* address) { return arena().holds(address); }

std::string describe_address(const void* address) {
  if (!arena().holds(address)) return "no device memory";
  const auto* const entry = arena().before(address);
  if (entry == nullptr) return "device memory before every allocation";
  char text[128];
  std::snprintf(text, sizeof(text), "byte %td of a%s allocation of %zu bytes",
                static_cast<const char*>(address) - entry->first,
                entry->second.live ? "n" : " freed", entry->second.bytes);
  return text;
}

const char* range_problem(const void* begin, size_t bytes) {
  if (bytes == 0) return nullptr;
  const auto* const entry = arena().holds(begin) ? arena().before(begin) : nullptr;
  if (entry == nullptr) return "not device memory";
  const auto offset = static_cast<size_t>(static_cast<const char*>(begin) - entry->first);
  if (offset >= entry->second.bytes) return "out of bounds";
  if (!entry->second.live) return "freed device memory";
  return bytes > entry->second.bytes - offset ? "past the end of the allocation" : nullptr;
}

void add_pinned(void* begin, size_t bytes) { pinned()[static_cast<char*>(begin)] = bytes; }
bool remove_pinned(void* begin) { return pinned().erase(static_cast<char*>(begin)) != 0; }

bool is_pinned(const void* begin, size_t bytes) {
  const auto* const at = static_cast<const char*>(begin);
  const auto next = pinned().upper_bound(at);
  if (next == pinned().begin()) return false;
  const auto& [first, size] = *std::prev(next);
  return at + bytes <= first + size;
}

DeviceAccess::DeviceAccess() { arena().open(); }
DeviceAccess::~DeviceAccess() { arena().close(); }

HostOnly::HostOnly() : depth_(arena().suspend()) {}
HostOnly::~HostOnly() { arena().resume(depth_); }

}  // namespace emu
