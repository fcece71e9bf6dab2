// Controls of the emulated device, for tests and for the stand-ins of vendor libraries.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/emulation/include/cuda_runtime_api.h"

namespace emu {

struct Options {
  // 0: threads and blocks in order; 1: reversed; else shuffled by this number. The environment
  // variable MRCNN_EMU_SEED sets the first value.
  uint64_t seed = 0;
  // Work of a stream runs when something waits for it; false: at once.
  bool lazy_streams = true;
  // Honour the memory hooks, where the .cu files were compiled with them.
  bool check = true;
  // Processor time a launch may take before it counts as an endless loop.
  int watchdog_seconds = 60;
};
Options& options();

struct Stats {
  uint64_t launches, host_works, blocks, threads, switches, fibers, accesses;
};
Stats& stats();

// Text of the first fault since reset(); empty without one.
const std::string& report();
// Forgets the fault, which a real context would not survive.
void reset();
// Device allocations not freed yet.
size_t live_allocations();

// Runs `work` in stream order like a kernel. It may touch device memory, is captured into graphs
// and counts as one launch. `name` is a literal; it appears in reports.
cudaError_t enqueue_host_work(cudaStream_t stream, const char* name, std::function<void()> work);

}  // namespace emu
