// The emulated device's state while a kernel runs: one block at a time, its threads as fibers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/emulation/fiber.h"
#include "tests/emulation/include/cuda_runtime.h"

namespace emu {

struct Thread {
  enum class State : uint8_t { kReady, kAtBarrier, kAtWarpOperation, kDone };
  State state;
  uint3 index;
  uint16_t id, warp, lane;
  Fiber* fiber;  // null until the thread is picked for the first time
  Place place;   // where it waits
  int barrier_result;
  // The warp operation it takes part in.
  WarpOp op;
  int argument, width;
  unsigned bytes;
  alignas(16) unsigned char in[16], out[16];
  // Vector clock over the lanes of its warp: clock[l] is the last moment of lane l that is ordered
  // before this thread's present one. Only __syncwarp orders memory inside a warp.
  uint32_t clock[32];
};

// Lanes of a warp that wait for the others of their mask.
struct Rendezvous {
  unsigned mask, arrived;
  WarpOp op;
  Place place;
};
struct Warp {
  unsigned exists, exited;
  std::vector<Rendezvous> pending;
};

struct Launch {
  const void* kernel;
  void (*call)(void*);
  void* arguments;
  size_t argument_bytes;
  dim3 grid, block;
  size_t dynamic_bytes;
};

struct Engine {
  const Launch* launch = nullptr;
  Thread* current = nullptr;  // null while host code runs
  // Runtime code runs for the current thread: its own accesses are not the kernel's, although the
  // linker may have picked instrumented copies of inline functions for it.
  bool in_runtime = false;
  bool failed = false;       // the launch is abandoned
  bool fenced = false;       // the launch used __threadfence
  const void* pc = nullptr;  // instruction of the access being checked
  // Grows at every launch, block and barrier and never goes back, so that the books of races need
  // no clearing.
  uint32_t epoch = 1, launch_epoch = 1, block_epoch = 1;
  Fiber host;

  std::vector<Thread> threads;
  std::vector<Warp> warps;
  unsigned num_threads = 0, num_done = 0;
};
extern Engine engine;

void run_launch(const Launch& launch);
// "kernel block (x,y,z) thread (x,y,z)", or "host code".
std::string where();
// Random numbers of the present seed.
uint64_t next_random();
// Starts the sequence of the seed again, so that a failing seed fails alone too.
void restart_random();

// Of schedule.cpp, for the operations that make a thread wait.
void make_ready(Thread& thread);
// Leaves the current thread, which waits, and returns when it goes on.
void wait_here();
// Of warp.cpp: completes what waited only for a lane that has returned.
void lane_exited(Thread& thread);
// Ends the launch from inside a kernel: `text` is kept as the fault and the fiber never resumes.
[[noreturn]] void fail_kernel(cudaError_t code, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

// Marks the time the runtime works for a device thread.
class InRuntime {
 public:
  InRuntime() { engine.in_runtime = true; }
  ~InRuntime() { engine.in_runtime = false; }
  InRuntime(const InRuntime&) = delete;
  InRuntime& operator=(const InRuntime&) = delete;
};

inline constexpr int kMaxThreads = 1024;
inline constexpr size_t kMaxDynamicBytes = 227 * 1024;     // what a block may ask for
inline constexpr size_t kDefaultDynamicBytes = 48 * 1024;  // without asking
// Fills memory nobody has written: NaN as f32, bf16 and f16, -1 as an integer.
inline constexpr unsigned char kPoison = 0xff;

}  // namespace emu
