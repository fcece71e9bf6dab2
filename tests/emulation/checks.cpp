// Device memory, and, when the .cu files were compiled with -fsanitize=thread (and this program
// linked WITHOUT it), the checks behind the compiler's load/store hooks: bounds, freed,
// uninitialised, host memory, races in shared and global memory.
#include <link.h>
#include <sys/mman.h>

#include <map>
#include <set>

#include "internal.h"

namespace emu {
namespace {
enum : uint8_t { kNone, kFresh, kSet, kFreed };
struct Block {
  size_t bytes;
  bool live;
};
std::map<char*, Block> allocations;
std::map<const char*, size_t> pinned_ranges;
[[maybe_unused]] char* image_begin;
[[maybe_unused]] char* image_end;
#ifdef MRCNN_EMULATED_CHECK
constexpr size_t kArena = size_t(32) << 30, kRedZone = 256;
struct Mark {
  uint32_t epoch, clock;
  uint16_t thread;
  bool atomic;
};
struct SharedCell {
  Mark write, read, read2;
};  // one per byte
struct GlobalCell {
  uint32_t epoch;
  uint16_t thread;
  uint8_t bytes;
  uint8_t atomic;
};  // last write, one per 4 bytes
char* arena;
uint8_t* state;
GlobalCell* cells;
size_t arena_used;
std::multimap<size_t, char*> free_list;
char *shared_low, *shared_high, *dynamic_low;
size_t dynamic_size;
std::vector<SharedCell> static_cells, dynamic_cells;
std::vector<uint8_t> is_shared;
template <class T>
T* reserve(size_t n) {
  void* p = mmap(nullptr, n * sizeof(T), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    perror("emulated CUDA: reserve");
    abort();
  }
  return static_cast<T*>(p);
}
void start() {
  if (arena) return;
  arena = reserve<char>(kArena);
  state = reserve<uint8_t>(kArena);
  cells = reserve<GlobalCell>(kArena / 4);
  arena_used = kRedZone;
  shared_low = reinterpret_cast<char*>(UINTPTR_MAX), shared_high = nullptr;
  for (auto& r : shared_variables())
    shared_low = std::min(shared_low, r.begin), shared_high = std::max(shared_high, r.end);
  if (!shared_high) shared_low = nullptr;
  static_cells.resize(size_t(shared_high - shared_low));
  is_shared.resize(static_cells.size());
  for (auto& r : shared_variables())
    std::fill(is_shared.begin() + (r.begin - shared_low), is_shared.begin() + (r.end - shared_low),
              1);
  dynamic_cells.resize(232 * 1024);
  dl_iterate_phdr(
      [](dl_phdr_info* i, size_t, void*) {
        for (int k = 0; k < i->dlpi_phnum; ++k)
          if (i->dlpi_phdr[k].p_type == PT_LOAD) {
            char* b = reinterpret_cast<char*>(i->dlpi_addr + i->dlpi_phdr[k].p_vaddr);
            if (!image_begin || b < image_begin) image_begin = b;
            image_end = std::max(image_end, b + i->dlpi_phdr[k].p_memsz);
          }
        return 1;
      },
      nullptr);
}
std::string around(const char* a) {
  auto it = allocations.upper_bound(const_cast<char*>(a));
  if (it == allocations.begin()) return "no allocation before it";
  --it;
  char t[128];
  snprintf(t, sizeof t, "byte %td of a%s allocation of %zu bytes", a - it->first,
           it->second.live ? "n" : " freed", it->second.bytes);
  return t;
}
bool ordered(const Mark& m) {  // did m happen before the running thread's present moment?
  Thread* t = engine.current;
  if (m.epoch < engine.epoch || m.thread == t->id) return true;
  return m.thread / 32 == t->warp && t->seen[m.thread & 31] >= m.clock;
}
std::string name_of(const char* a) {
  if (a >= shared_low && a < shared_high) return symbol_at(a, false);
  char t[64];
  snprintf(t, sizeof t, "byte %td of the dynamic part", a - dynamic_low);
  return t;
}
[[noreturn]] void race(const char* space, const char* a, const char* mine, const char* other,
                       unsigned thread) {
  std::string name = space[0] == 's' ? name_of(a) : around(a);
  fail_in_kernel(
      "race on %s memory (%s): this %s and the %s by thread %u have no barrier between them", space,
      name.c_str(), mine, other, thread);
}
void shared_access(SharedCell* c, const char* a, unsigned n, bool write, bool atomic) {
  Thread* t = engine.current;
  for (unsigned i = 0; i < n; ++i, ++c) {
    if (c->write.epoch >= engine.block_epoch && !ordered(c->write) && !(atomic && c->write.atomic))
      race("shared", a, write ? "write" : "read", "write", c->write.thread);
    if ((!write || atomic) && c->write.epoch < engine.block_epoch)
      fail_in_kernel("uninitialised shared memory is read: %s", name_of(a + i).c_str());
    Mark now{engine.epoch, t->seen[t->lane], t->id, atomic};
    if (write) {
      if (!atomic && !ordered(c->read)) race("shared", a, "write", "read", c->read.thread);
      if (!atomic && !ordered(c->read2)) race("shared", a, "write", "read", c->read2.thread);
      c->write = now;
    } else {
      if (!ordered(c->read) && (c->read.thread / 32 != t->warp || c->read2.epoch < engine.epoch))
        c->read2 = c->read;
      c->read = now;
    }
  }
}
void global_access(const char* a, unsigned n, bool write, bool atomic) {
  size_t o = size_t(a - arena);
  for (unsigned i = 0; i < n; ++i) {
    uint8_t s = state[o + i];
    if (s == kSet) continue;
    if (s == kFresh && write && !atomic) {
      state[o + i] = kSet;
      continue;
    }
    fail_in_kernel("%s of %u bytes: %s: %s", write ? "write" : "read", n,
                   s == kFresh   ? "uninitialised device memory"
                   : s == kFreed ? "freed device memory"
                                 : "out of bounds",
                   around(a).c_str());
  }
  Thread* t = engine.current;
  for (size_t g = o / 4; g <= (o + n - 1) / 4; ++g) {
    GlobalCell& c = cells[g];
    uint8_t bytes = 0;
    for (unsigned k = 0; k < 4; ++k) bytes |= uint8_t((g * 4 + k >= o && g * 4 + k < o + n) << k);
    if (c.epoch >= engine.launch_epoch && (c.bytes & bytes) && !(atomic && c.atomic) &&
        !engine.fenced) {
      bool other_block = c.epoch < engine.block_epoch;
      Mark m{c.epoch, 0, c.thread,
             false};  // within a warp: treat any earlier write as ordered (no clocks here)
      if (other_block || (!ordered(m) && c.thread / 32 != t->warp))
        race("global", a, write ? "write" : "read",
             other_block ? "write in another block" : "write", c.thread);
    }
    if (write) c = {engine.epoch, t->id, bytes, atomic};
  }
}
void other_access(const char* a, unsigned n) {
  Fiber* f = engine.current->fiber;
  auto* args = static_cast<const char*>(engine.args);
  if ((a >= f->stack && a < f->stack + f->bytes) || (a >= image_begin && a < image_end) ||
      (a >= args && a < args + 4096))
    return;
  auto it = pinned_ranges.upper_bound(a);
  if (it != pinned_ranges.begin() && a + n <= std::prev(it)->first + std::prev(it)->second) return;
  fail_in_kernel("access of %u bytes at %p: host memory (pageable), or nothing at all", n,
                 static_cast<const void*>(a));
}
inline __attribute__((always_inline)) void access(const void* p, unsigned n, bool write,
                                                  bool atomic = false) {
  if (!engine.current || engine.in_runtime || !options().check) return;
  engine.pc = __builtin_return_address(0);
  stats().accesses++;
  auto* a = static_cast<const char*>(p);
  if (size_t(a - arena) < kArena) return global_access(a, n, write, atomic);
  if (size_t(a - dynamic_low) < 232 * 1024) {
    if (size_t(a - dynamic_low) + n > dynamic_size)
      fail_in_kernel("out of bounds: byte %td of %zu bytes of dynamic shared memory",
                     a - dynamic_low, dynamic_size);
    return shared_access(&dynamic_cells[size_t(a - dynamic_low)], a, n, write, atomic);
  }
  if (a >= shared_low && a < shared_high && is_shared[size_t(a - shared_low)]) {
    if (!is_shared[size_t(a - shared_low) + n - 1])
      fail_in_kernel("out of bounds: past %s", symbol_at(a, false).c_str());
    return shared_access(&static_cells[size_t(a - shared_low)], a, n, write, atomic);
  }
  other_access(a, n);
}
#endif
}  // namespace

void* device_alloc(size_t n) {
  void* p = nullptr;
#ifdef MRCNN_EMULATED_CHECK
  start();
  size_t span = (n + kRedZone + 255) & ~size_t(255);
  if (auto it = free_list.find(span); it != free_list.end())
    p = it->second, free_list.erase(it);
  else if (arena_used + span <= kArena)
    p = arena + arena_used, arena_used += span;
  else
    return nullptr;
  std::memset(state + (static_cast<char*>(p) - arena), kFresh, n);
  std::memset(state + (static_cast<char*>(p) - arena) + n, kNone, span - n);
#else
  if (posix_memalign(&p, 256, n))
    return nullptr;  // exactly n bytes: the red zone of ASan starts right after
#endif
  std::memset(p, kPoison, n);
  allocations[static_cast<char*>(p)] = {n, true};
  return p;
}
bool device_free(void* p) {
  auto it = allocations.find(static_cast<char*>(p));
  if (it == allocations.end() || !it->second.live) return false;
#ifdef MRCNN_EMULATED_CHECK
  it->second.live = false;
  std::memset(state + (it->first - arena), kFreed, it->second.bytes);
  std::memset(p, kPoison, it->second.bytes);
  free_list.emplace((it->second.bytes + kRedZone + 255) & ~size_t(255), it->first);
#else
  allocations.erase(it);
  free(p);
#endif
  return true;
}
size_t live_blocks() {
  size_t n = 0;
  for (auto& a : allocations) n += a.second.live;
  return n;
}
cudaMemoryType pointer_type(const void* p) {
  if (!describe_device_range(p, 1)) return cudaMemoryTypeDevice;
  auto it = pinned_ranges.upper_bound(static_cast<const char*>(p));
  if (it != pinned_ranges.begin() &&
      static_cast<const char*>(p) < std::prev(it)->first + std::prev(it)->second)
    return cudaMemoryTypeHost;
  return cudaMemoryTypeUnregistered;
}
const char* describe_device_range(const void* p, size_t n) {
  auto* a = static_cast<char*>(const_cast<void*>(p));
  auto it = allocations.upper_bound(a);
  if (it == allocations.begin()) return n ? "not device memory" : nullptr;
  --it;
  if (a >= it->first + it->second.bytes) return "not device memory";
  if (!it->second.live) return "freed device memory";
  return a + n > it->first + it->second.bytes ? "past the end of the allocation" : nullptr;
}
void pinned(void* p, size_t n, bool add) {
  if (add)
    pinned_ranges[static_cast<char*>(p)] = n;
  else
    pinned_ranges.erase(static_cast<char*>(p));
}
void check_host_write([[maybe_unused]] void* p, [[maybe_unused]] size_t n) {
#ifdef MRCNN_EMULATED_CHECK
  if (arena && size_t(static_cast<char*>(p) - arena) < kArena)
    std::memset(state + (static_cast<char*>(p) - arena), kSet, n);
#endif
}
void check_begin_block([[maybe_unused]] char* dynamic, [[maybe_unused]] size_t n) {
#ifdef MRCNN_EMULATED_CHECK
  start();
  dynamic_low = dynamic, dynamic_size = n;
#endif
}
void maybe_switch();
void atomic_access([[maybe_unused]] const void* p, [[maybe_unused]] unsigned n) {
#ifdef MRCNN_EMULATED_CHECK
  access(p, n, true, true);
#endif
  maybe_switch();
}
}  // namespace emu

#ifdef MRCNN_EMULATED_CHECK
using emu::access;
extern "C" {
#define HOOK(n)                                                   \
  void __tsan_read##n(void* p) { access(p, n, false); }           \
  void __tsan_write##n(void* p) { access(p, n, true); }           \
  void __tsan_unaligned_read##n(void* p) { access(p, n, false); } \
  void __tsan_unaligned_write##n(void* p) { access(p, n, true); } \
  void __tsan_volatile_read##n(void* p) { access(p, n, false); }  \
  void __tsan_volatile_write##n(void* p) { access(p, n, true); }
HOOK(1) HOOK(2) HOOK(4) HOOK(8) HOOK(16) void __tsan_read_range(void* p, unsigned long n) {
  access(p, unsigned(n), false);
}
void __tsan_write_range(void* p, unsigned long n) { access(p, unsigned(n), true); }
void* __tsan_memcpy(void* d, const void* s, size_t n) {
  access(s, unsigned(n), false);
  access(d, unsigned(n), true);
  return std::memcpy(d, s, n);
}
void* __tsan_memset(void* d, int v, size_t n) {
  access(d, unsigned(n), true);
  return std::memset(d, v, n);
}
void* __tsan_memmove(void* d, const void* s, size_t n) {
  access(s, unsigned(n), false);
  access(d, unsigned(n), true);
  return std::memmove(d, s, n);
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
#endif
