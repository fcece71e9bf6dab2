// One launch: shared memory, the order of the blocks, and what a failing kernel says.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "tests/emulation/checks.h"
#include "tests/emulation/crash.h"
#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/report.h"
#include "tests/emulation/schedule.h"
#include "tests/emulation/symbols.h"

namespace emu {

Engine engine;

namespace {

alignas(256) char g_dynamic_shared[kMaxDynamicBytes];
uint64_t g_random = 1;
uint64_t g_launches_of_seed = 0;
const Fiber* g_host_of_fibers = nullptr;

// Not memset: under AddressSanitizer a variable's symbol may cover its red zone too.
__attribute__((no_sanitize_address, noinline)) void poison(const Range& range) {
  volatile char* p = range.begin;
  while (p < range.end) {
    if (reinterpret_cast<uintptr_t>(p) % 8 == 0 && range.end - p >= 8) {
      *reinterpret_cast<volatile uint64_t*>(p) = ~uint64_t{0};
      p += 8;
    } else {
      *p++ = static_cast<char>(kPoison);
    }
  }
}

__attribute__((no_sanitize_address, noinline)) bool is_written(const Range& range) {
  for (const volatile char* p = range.begin; p < range.end; ++p) {
    if (*p != static_cast<char>(kPoison)) return true;
  }
  return false;
}

// Poisons the shared variables of the whole program before the first block of a launch, later only
// those the first block wrote: else the cost of a block would grow with the number of kernels.
class SharedPoison {
 public:
  void before_block() {
    for (const Range& range : first_ ? shared_variables() : touched_) poison(range);
    std::memset(g_dynamic_shared, kPoison, engine.launch->dynamic_bytes);
  }
  void after_block() {
    if (!first_) return;
    first_ = false;
    for (const Range& range : shared_variables()) {
      if (is_written(range)) touched_.push_back(range);
    }
  }

 private:
  bool first_ = true;
  std::vector<Range> touched_;
};

// A walk over all blocks: start plus a step that is prime to the count is a cheap permutation.
class BlockOrder {
 public:
  explicit BlockOrder(uint64_t count) : count_(count) {
    if (options().seed == 1) {
      step_ = next_ = count - 1;
    } else if (options().seed >= 2) {
      next_ = next_random() % count;
      do {
        step_ = 1 + next_random() % count;
      } while (std::gcd(step_, count) != 1);
    }
  }
  uint64_t next() {
    const uint64_t block = next_;
    next_ = (next_ + step_) % count_;
    return block;
  }

 private:
  uint64_t count_, next_ = 0, step_ = 1;
};

void prepare_threads(const dim3& block) {
  const unsigned count = block.x * block.y * block.z;
  engine.num_threads = count;
  engine.threads.resize(count);
  engine.warps.assign((count + 31) / 32, {});
  for (unsigned i = 0; i < count; ++i) {
    Thread& thread = engine.threads[i];
    thread.index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    thread.id = static_cast<uint16_t>(i);
    thread.warp = static_cast<uint16_t>(i / 32);
    thread.lane = static_cast<uint16_t>(i % 32);
    engine.warps[i / 32].exists |= 1u << (i % 32);
  }
}

// Fibers know the stack of the thread they go back to, so another host thread starts them afresh.
void adopt_host_thread() {
  static thread_local const Fiber t_host = [] {
    Fiber fiber;
    fiber_adopt_caller(fiber);
    use_signal_stack();
    start_watchdog();
    return fiber;
  }();
  if (g_host_of_fibers == &t_host) return;
  g_host_of_fibers = &t_host;
  engine.host = t_host;
  abandon_fibers();
}

void run_block(uint64_t index, const dim3& grid, SharedPoison& shared) {
  blockIdx = {static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
              static_cast<unsigned>(index / (uint64_t{grid.x} * grid.y))};
  shared.before_block();
  engine.block_epoch = ++engine.epoch;
  run_threads();
  shared.after_block();
}

}  // namespace

void run_launch(const Launch& launch) {
  adopt_host_thread();
  engine.launch = &launch;
  blockDim = launch.block;
  gridDim = launch.grid;
  begin_checks(g_dynamic_shared, launch.dynamic_bytes);
  engine.launch_epoch = ++engine.epoch;
  engine.fenced = engine.failed = false;
  g_random = options().seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du + g_launches_of_seed++;
  prepare_threads(launch.block);
  const uint64_t blocks = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  BlockOrder order(blocks);
  SharedPoison shared;
  for (uint64_t i = 0; i < blocks && !engine.failed; ++i) {
    run_block(order.next(), launch.grid, shared);
  }
  stats().launches++;
  stats().blocks += blocks;
  stats().threads += blocks * engine.num_threads;
  engine.launch = nullptr;
}

uint64_t next_random() {
  g_random ^= g_random << 13;
  g_random ^= g_random >> 7;
  return g_random ^= g_random << 17;
}

void restart_random() {
  g_launches_of_seed = 0;
  g_random = options().seed * 0x9e3779b97f4a7c15u + 1;
}

std::string where() {
  if (engine.launch == nullptr) return "host code";
  const uint3 thread = engine.current != nullptr ? engine.current->index : uint3{};
  char text[160];
  std::snprintf(text, sizeof(text), " block (%u,%u,%u) thread (%u,%u,%u)", blockIdx.x, blockIdx.y,
                blockIdx.z, thread.x, thread.y, thread.z);
  return function_at(engine.launch->kernel) + text;
}

void fail_kernel(cudaError_t code, const char* format, ...) {
  engine.in_runtime = true;
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  fault(code, text + source_lines(engine.pc) + "\n    in " + where());
  engine.pc = nullptr;
  engine.failed = true;
  leave_failed_kernel();
}

void* dynamic_shared() { return g_dynamic_shared; }
void fence() { engine.fenced = true; }
void trap(Place place) {
  fail_kernel(cudaErrorLaunchFailure, "__trap at %s:%d", place.file, place.line);
}

}  // namespace emu
