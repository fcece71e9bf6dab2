// The .cu files are compiled with -fsanitize=thread, so every load and store calls one of the
// functions below. The program is linked without the ThreadSanitizer runtime: no part of it runs.
#include <cstring>

#include "tests/emulation/checks.h"
#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/shadow.h"
#include "tests/emulation/symbols.h"

namespace emu {
namespace {

const char* word_for(Access access) {
  return access == Access::kRead ? "read" : access == Access::kWrite ? "write" : "atomic operation";
}

// What is neither device nor shared memory: the thread's own stack, the kernel's arguments, global
// variables and page-locked host memory are fine.
void check_other(const char* address, size_t bytes, Access access) {
  static const Range image = program_image();
  const Fiber& fiber = *engine.current->fiber;
  const auto* const arguments = static_cast<const char*>(engine.launch->arguments);
  const auto is_in = [&](const char* begin, size_t size) {
    return address >= begin && address + bytes <= begin + size;
  };
  if (is_in(fiber.stack, fiber.bytes)) return;
  if (is_in(arguments, engine.launch->argument_bytes)) return;
  if (address >= image.begin && address < image.end) return;
  if (is_pinned(address, bytes)) return;
  fail_kernel(cudaErrorIllegalAddress, "%s of %zu bytes at %p: host memory, or nothing at all",
              word_for(access), bytes, static_cast<const void*>(address));
}

inline __attribute__((always_inline)) void check(const void* pointer, size_t bytes, Access access,
                                                 const void* pc) {
  if (engine.current == nullptr || engine.in_runtime || !options().check || bytes == 0) return;
  // Until the end of the check: the linker may have picked instrumented copies of inline functions.
  engine.in_runtime = true;
  engine.pc = pc;
  stats().accesses++;
  const auto* const address = static_cast<const char*>(pointer);
  if (in_device_shadow(address)) {
    check_device(address, bytes, access);
  } else if (!check_shared(address, bytes, access)) {
    check_other(address, bytes, access);
  }
  engine.in_runtime = false;
}

}  // namespace

void start_checks(char* arena, size_t arena_bytes) {
  start_device_shadow(arena, arena_bytes);
  start_shared_shadow();
}

void begin_checks(char* dynamic, size_t dynamic_bytes) {
  begin_shared_shadow(dynamic, dynamic_bytes);
}

void check_atomic(const void* pointer, unsigned bytes, const void* pc) {
  check(pointer, bytes, Access::kAtomic, pc);
}

bool is_ordered(uint32_t epoch, uint32_t clock, unsigned thread) {
  const Thread& current = *engine.current;
  if (epoch < engine.epoch || thread == current.id) return true;
  return thread / 32u == current.warp && current.clock[thread % 32u] >= clock;
}

void fail_race(const char* what, Access mine, const char* other, unsigned thread) {
  fail_kernel(cudaErrorLaunchFailure,
              "race on %s: this %s and the %s by thread %u have no barrier "
              "between them",
              what, word_for(mine), other, thread);
}

}  // namespace emu

#define MRCNN_HOOK(result, name, parameters, ...) \
  result name parameters;                         \
  result name parameters __VA_ARGS__
#define MRCNN_PC __builtin_return_address(0)
#define MRCNN_ACCESS_HOOKS(bytes)                                      \
  MRCNN_HOOK(void, __tsan_read##bytes, (void* p),                      \
             { emu::check(p, bytes, emu::Access::kRead, MRCNN_PC); })  \
  MRCNN_HOOK(void, __tsan_write##bytes, (void* p),                     \
             { emu::check(p, bytes, emu::Access::kWrite, MRCNN_PC); }) \
  MRCNN_HOOK(void, __tsan_unaligned_read##bytes, (void* p),            \
             { emu::check(p, bytes, emu::Access::kRead, MRCNN_PC); })  \
  MRCNN_HOOK(void, __tsan_unaligned_write##bytes, (void* p),           \
             { emu::check(p, bytes, emu::Access::kWrite, MRCNN_PC); }) \
  MRCNN_HOOK(void, __tsan_volatile_read##bytes, (void* p),             \
             { emu::check(p, bytes, emu::Access::kRead, MRCNN_PC); })  \
  MRCNN_HOOK(void, __tsan_volatile_write##bytes, (void* p),            \
             { emu::check(p, bytes, emu::Access::kWrite, MRCNN_PC); })

// Atomic operations of the language, such as the guards of static variables in launchers, keep
// their meaning and are not checked; kernels use the functions of warp.h.
#define MRCNN_ATOMIC_FETCH_HOOK(bits, T, name)                                      \
  MRCNN_HOOK(T, __tsan_atomic##bits##_fetch_##name, (volatile T * p, T value, int), \
             { return __atomic_fetch_##name(p, value, __ATOMIC_SEQ_CST); })
#define MRCNN_ATOMIC_EXCHANGE_HOOK(bits, T, kind)                                              \
  MRCNN_HOOK(int, __tsan_atomic##bits##_compare_exchange_##kind,                               \
             (volatile T * p, T * expected, T value, int, int), {                              \
               return __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST, \
                                                  __ATOMIC_SEQ_CST);                           \
             })
#define MRCNN_ATOMIC_HOOKS(bits, T)                                             \
  MRCNN_HOOK(T, __tsan_atomic##bits##_load, (const volatile T* p, int),         \
             { return __atomic_load_n(p, __ATOMIC_SEQ_CST); })                  \
  MRCNN_HOOK(void, __tsan_atomic##bits##_store, (volatile T * p, T value, int), \
             { __atomic_store_n(p, value, __ATOMIC_SEQ_CST); })                 \
  MRCNN_HOOK(T, __tsan_atomic##bits##_exchange, (volatile T * p, T value, int), \
             { return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST); })       \
  MRCNN_ATOMIC_FETCH_HOOK(bits, T, add)                                         \
  MRCNN_ATOMIC_FETCH_HOOK(bits, T, sub)                                         \
  MRCNN_ATOMIC_FETCH_HOOK(bits, T, and)                                         \
  MRCNN_ATOMIC_FETCH_HOOK(bits, T, or)                                          \
  MRCNN_ATOMIC_FETCH_HOOK(bits, T, xor)                                         \
  MRCNN_ATOMIC_EXCHANGE_HOOK(bits, T, strong)                                   \
  MRCNN_ATOMIC_EXCHANGE_HOOK(bits, T, weak)

extern "C" {
MRCNN_ACCESS_HOOKS(1)
MRCNN_ACCESS_HOOKS(2)
MRCNN_ACCESS_HOOKS(4)
MRCNN_ACCESS_HOOKS(8)
MRCNN_ACCESS_HOOKS(16)
MRCNN_HOOK(void, __tsan_read_range, (void* p, unsigned long bytes),
           { emu::check(p, bytes, emu::Access::kRead, MRCNN_PC); })
MRCNN_HOOK(void, __tsan_write_range, (void* p, unsigned long bytes),
           { emu::check(p, bytes, emu::Access::kWrite, MRCNN_PC); })
MRCNN_ATOMIC_HOOKS(8, unsigned char)
MRCNN_ATOMIC_HOOKS(16, unsigned short)
MRCNN_ATOMIC_HOOKS(32, unsigned)
MRCNN_ATOMIC_HOOKS(64, unsigned long)
MRCNN_HOOK(void, __tsan_atomic_thread_fence, (int), { __atomic_thread_fence(__ATOMIC_SEQ_CST); })
MRCNN_HOOK(void, __tsan_atomic_signal_fence, (int), { __atomic_signal_fence(__ATOMIC_SEQ_CST); })
MRCNN_HOOK(void, __tsan_init, (), {})
MRCNN_HOOK(void, __tsan_func_entry, (void*), {})
MRCNN_HOOK(void, __tsan_func_exit, (), {})
MRCNN_HOOK(void, __tsan_vptr_update, (void**, void*), {})
MRCNN_HOOK(void, __tsan_vptr_read, (void**), {})
}
