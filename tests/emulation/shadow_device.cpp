#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/emulation/checks.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/shadow.h"

namespace emu {
namespace {

enum class ByteState : uint8_t { kRedZone, kFresh, kWritten, kReleased };

// The last write, one cell per 4 bytes.
struct Cell {
  uint32_t epoch;
  uint32_t thread : 10, bytes : 4, atomic : 1, clock : 17;
};
static_assert(sizeof(Cell) == 8);
constexpr uint32_t kMaxClock = (1u << 17) - 1;

char* g_arena = nullptr;
size_t g_arena_bytes = 0;
ByteState* g_states = nullptr;
Cell* g_cells = nullptr;

// Pages are backed when they are touched.
template <typename T>
T* reserve(size_t count) {
  void* const memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("emulated CUDA: reserving the books of device memory");
    std::abort();
  }
  return static_cast<T*>(memory);
}

void set_states(char* begin, size_t bytes, ByteState state) {
  std::memset(static_cast<void*>(g_states + (begin - g_arena)), static_cast<int>(state), bytes);
}

// Kept outside of the fiber's stack, which does not unwind after a fault.
const char* kept_description(const char* address) {
  static std::string text;
  text = describe_address(address);
  return text.c_str();
}

const char* problem_of(ByteState state) {
  switch (state) {
    case ByteState::kFresh:
      return "uninitialised device memory";
    case ByteState::kReleased:
      return "freed device memory";
    default:
      return "out of bounds";
  }
}

// Code without hooks, such as the stand-ins of vendor libraries, leaves no note, but it leaves the
// bytes: fresh memory that is no longer poison was written.
bool is_changed(const char* address, size_t bytes) {
  return std::any_of(address, address + bytes,
                     [](char byte) { return static_cast<unsigned char>(byte) != kPoison; });
}

void check_states(const char* address, size_t bytes, Access access) {
  ByteState* const states = g_states + (address - g_arena);
  for (size_t i = 0; i < bytes; ++i) {
    if (states[i] == ByteState::kWritten) continue;
    const bool may_set =
        states[i] == ByteState::kFresh && (access == Access::kWrite || is_changed(address, bytes));
    if (!may_set) {
      fail_kernel(states[i] == ByteState::kFresh ? cudaErrorLaunchFailure : cudaErrorIllegalAddress,
                  "%s of %zu bytes: %s: %s", access == Access::kRead ? "read" : "write", bytes,
                  problem_of(states[i]), kept_description(address + i));
    }
    states[i] = ByteState::kWritten;
  }
}

[[noreturn]] void fail_device_race(const char* address, Access mine, const Cell& cell,
                                   bool other_block) {
  static std::string what;
  what = std::string("device memory (") + kept_description(address) + ")";
  fail_race(what.c_str(), mine, other_block ? "write in another block" : "write", cell.thread);
}

void check_cell(Cell& cell, unsigned bytes, const char* address, Access access) {
  const Thread& thread = *engine.current;
  const bool both_atomic = access == Access::kAtomic && cell.atomic != 0;
  if (cell.epoch >= engine.launch_epoch && (cell.bytes & bytes) != 0 && !both_atomic &&
      !engine.fenced) {
    const bool other_block = cell.epoch < engine.block_epoch;
    const bool forgotten = cell.clock == kMaxClock && cell.thread / 32u == thread.warp;
    if (other_block || (!forgotten && !is_ordered(cell.epoch, cell.clock, cell.thread))) {
      fail_device_race(address, access, cell, other_block);
    }
  }
  if (access == Access::kRead) return;
  cell.epoch = engine.epoch;
  cell.thread = thread.id & 1023u;
  cell.bytes = bytes & 15u;
  cell.atomic = access == Access::kAtomic;
  cell.clock = std::min(thread.clock[thread.lane], kMaxClock) & kMaxClock;
}

}  // namespace

void start_device_shadow(char* arena, size_t arena_bytes) {
  g_arena = arena;
  g_arena_bytes = arena_bytes;
  g_states = reserve<ByteState>(arena_bytes);
  g_cells = reserve<Cell>(arena_bytes / 4);
}

bool in_device_shadow(const char* address) {
  return static_cast<size_t>(address - g_arena) < g_arena_bytes;
}

void check_device(const char* address, size_t bytes, Access access) {
  check_states(address, bytes, access);
  const auto offset = static_cast<size_t>(address - g_arena);
  for (size_t word = offset / 4; word <= (offset + bytes - 1) / 4; ++word) {
    const size_t first = std::max(offset, word * 4) - word * 4;
    const size_t end = std::min(offset + bytes, word * 4 + 4) - word * 4;
    const unsigned mask = ((1u << end) - 1u) & ~((1u << first) - 1u);
    check_cell(g_cells[word], mask, address, access);
  }
}

void mark_fresh(char* begin, size_t bytes, size_t span) {
  set_states(begin, bytes, ByteState::kFresh);
  set_states(begin + bytes, span - bytes, ByteState::kRedZone);
}

void mark_released(char* begin, size_t bytes) { set_states(begin, bytes, ByteState::kReleased); }

void mark_written(void* begin, size_t bytes) {
  auto* const first = static_cast<char*>(begin);
  if (bytes != 0 && in_device_shadow(first)) set_states(first, bytes, ByteState::kWritten);
}

void copy_marks(void* to, const void* from, size_t bytes) {
  auto* const target = static_cast<char*>(to);
  const auto* const source = static_cast<const char*>(from);
  if (bytes == 0 || !in_device_shadow(target)) return;
  if (!in_device_shadow(source)) return mark_written(to, bytes);
  // Bytes without a note may still have been written, see is_changed().
  for (size_t i = 0; i < bytes; ++i) {
    const bool written =
        g_states[source - g_arena + static_cast<std::ptrdiff_t>(i)] == ByteState::kWritten ||
        is_changed(source + i, 1);
    set_states(target + i, 1, written ? ByteState::kWritten : ByteState::kFresh);
  }
}

}  // namespace emu
