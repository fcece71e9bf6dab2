#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/emulation/engine.h"
#include "tests/emulation/shadow.h"
#include "tests/emulation/symbols.h"

namespace emu {
namespace {

struct Mark {
  uint32_t epoch = 0, clock = 0;
  uint16_t thread = 0;
  bool atomic = false;
};
// One per byte. Two reads, of different warps where possible: one alone would be forgotten when the
// next reader comes, and with it the race against a later write.
struct Cell {
  Mark write, read, other_read;
};

// The static variables lie close together, other things of the program may lie between them.
char* g_static_begin = nullptr;
char* g_static_end = nullptr;
std::vector<Cell> g_static_cells;
std::vector<bool> g_is_shared;

char* g_dynamic = nullptr;
size_t g_dynamic_bytes = 0;
std::vector<Cell> g_dynamic_cells;

std::string name_of(const char* address) {
  if (address >= g_static_begin && address < g_static_end) return variable_at(address);
  return "byte " + std::to_string(address - g_dynamic) + " of the dynamic part";
}

// Kept outside of the fiber's stack, which does not unwind after a fault.
const char* kept_name(const char* address) {
  static std::string name;
  name = name_of(address);
  return name.c_str();
}

bool is_before(const Mark& mark) { return is_ordered(mark.epoch, mark.clock, mark.thread); }

[[noreturn]] void fail_shared_race(const char* address, Access mine, const char* other,
                                   const Mark& mark) {
  static std::string what;
  what = std::string("shared memory (") + kept_name(address) + ")";
  fail_race(what.c_str(), mine, other, mark.thread);
}

void note_read(Cell& cell, const Mark& now, unsigned warp) {
  const bool keeps_old = !is_before(cell.read);
  if (keeps_old && (cell.read.thread / 32u != warp || cell.other_read.epoch < engine.epoch)) {
    cell.other_read = cell.read;
  }
  cell.read = now;
}

void check_cell(Cell& cell, const char* address, Access access, const Mark& now, unsigned warp) {
  const bool written = cell.write.epoch >= engine.block_epoch;
  const bool atomic = access == Access::kAtomic;
  if (written && !is_before(cell.write) && !(atomic && cell.write.atomic)) {
    fail_shared_race(address, access, "write", cell.write);
  }
  if (!written && access != Access::kWrite) {
    fail_kernel(cudaErrorLaunchFailure, "uninitialised shared memory is read: %s",
                kept_name(address));
  }
  if (access == Access::kRead) return note_read(cell, now, warp);
  if (!is_before(cell.read)) fail_shared_race(address, access, "read", cell.read);
  if (!is_before(cell.other_read)) fail_shared_race(address, access, "read", cell.other_read);
  cell.write = now;
}

void check_cells(Cell* cells, const char* address, size_t bytes, Access access) {
  const Thread& thread = *engine.current;
  const Mark now{engine.epoch, thread.clock[thread.lane], thread.id, access == Access::kAtomic};
  for (size_t i = 0; i < bytes; ++i) {
    check_cell(cells[i], address + i, access, now, thread.warp);
  }
}

}  // namespace

void start_shared_shadow() {
  const std::vector<Range>& variables = shared_variables();
  g_dynamic_cells.resize(kMaxDynamicBytes);
  if (variables.empty()) return;
  g_static_begin = variables.front().begin;
  g_static_end = variables.front().end;
  for (const Range& variable : variables) {
    g_static_begin = std::min(g_static_begin, variable.begin);
    g_static_end = std::max(g_static_end, variable.end);
  }
  g_static_cells.resize(static_cast<size_t>(g_static_end - g_static_begin));
  g_is_shared.resize(g_static_cells.size());
  for (const Range& variable : variables) {
    for (const char* p = variable.begin; p < variable.end; ++p) {
      g_is_shared[static_cast<size_t>(p - g_static_begin)] = true;
    }
  }
}

void begin_shared_shadow(char* dynamic, size_t dynamic_bytes) {
  g_dynamic = dynamic;
  g_dynamic_bytes = dynamic_bytes;
}

bool check_shared(const char* address, size_t bytes, Access access) {
  const auto dynamic_offset = static_cast<size_t>(address - g_dynamic);
  if (dynamic_offset < kMaxDynamicBytes) {
    if (dynamic_offset + bytes > g_dynamic_bytes) {
      fail_kernel(cudaErrorIllegalAddress,
                  "out of bounds: byte %zu of %zu bytes of dynamic shared "
                  "memory",
                  dynamic_offset, g_dynamic_bytes);
    }
    check_cells(&g_dynamic_cells[dynamic_offset], address, bytes, access);
    return true;
  }
  const auto offset = static_cast<size_t>(address - g_static_begin);
  if (offset >= g_static_cells.size() || !g_is_shared[offset]) return false;
  if (offset + bytes > g_static_cells.size() || !g_is_shared[offset + bytes - 1]) {
    fail_kernel(cudaErrorIllegalAddress, "out of bounds: past %s", kept_name(address));
  }
  check_cells(&g_static_cells[offset], address, bytes, access);
  return true;
}

}  // namespace emu
