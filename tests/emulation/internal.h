#pragma once
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "emulated_cuda.h"
#include "fiber.h"

namespace emu {
struct Thread {
  enum State : uint8_t { kReady, kBarrier, kWarp, kDone } state;
  uint3 index;
  uint16_t id, warp, lane;
  Fiber* fiber;
  const char* file;
  int line;
  // warp collective this thread takes part in
  WarpOp op;
  int result;
  int arg, width;
  unsigned bytes;
  alignas(16) unsigned char in[16], out[16];
  uint32_t seen[32];  // vector clock over the lanes of its warp (only __syncwarp orders memory)
};
struct Engine {
  const void* kernel = nullptr;
  void (*call)(void*) = nullptr;
  void* args = nullptr;
  Thread* current = nullptr;  // null: host code runs
  Fiber host;
  uint32_t epoch = 1, launch_epoch = 1,
           block_epoch = 1;  // +1 at every launch, block and barrier: never goes back
  const void* pc = nullptr;  // the access being checked
  bool in_runtime = false;     // linked-in copies of inline functions may carry hooks
  bool fenced = false;       // the launch used __threadfence
};
extern Engine engine;
[[noreturn]] void fail_in_kernel(const char* format, ...) __attribute__((format(printf, 1, 2)));
void fail(const std::string& text, cudaError_t code);
std::string where();  // kernel, block, thread
std::string symbol_at(const void* p,
                      bool function);  // demangled, from the program's own symbol table
bool run_launch(const cudaLaunchConfig_t&, const void* kernel, void (*call)(void*), void* args);
struct Range {
  char* begin;
  char* end;
};
const std::vector<Range>& shared_variables();
uint64_t next_random();

// check.cpp
void* device_alloc(size_t bytes);
bool device_free(void* p);
const char* describe_device_range(const void* p, size_t n);  // null: fine, else what is wrong
size_t live_blocks();
cudaMemoryType pointer_type(const void* p);
void check_begin_block(char* dynamic, size_t bytes);
void check_host_write(void* p, size_t n);
void pinned(void* p, size_t n, bool add);
inline constexpr unsigned char kPoison = 0xff;  // f32, bf16, f16: NaN; int: -1
}  // namespace emu
