#include "fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#if defined(__SANITIZE_ADDRESS__)
#define EMU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMU_ASAN 1
#endif
#endif
#ifdef EMU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifndef EMU_UCONTEXT
extern "C" void emu_switch(void** save, void* load);
// Callee-saved registers only; floating-point control words are the same everywhere.
#if defined(__x86_64__)
asm(R"(.text
.globl emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emu_switch,.-emu_switch
)");
#elif defined(__aarch64__)
asm(R"(.text
.globl emu_switch
.type emu_switch,%function
emu_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size emu_switch,.-emu_switch
)");
#else
#error "add emu_switch for this processor or build with EMU_UCONTEXT"
#endif
#endif

namespace emu {
void fiber_create(Fiber& f) {
  char* p = static_cast<char*>(mmap(nullptr, kStackBytes + 4096, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (p == MAP_FAILED) abort();
  mprotect(p, 4096, PROT_NONE);
  f.stack = p + 4096;
  f.bytes = kStackBytes;
}

void fiber_prepare(Fiber& f, void (*entry)()) {
#ifdef EMU_ASAN
  ASAN_UNPOISON_MEMORY_REGION(f.stack, f.bytes);
#endif
  f.asan = nullptr;
#if defined(EMU_UCONTEXT)
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack;
  f.context.uc_stack.ss_size = f.bytes;
  f.context.uc_link = nullptr;
  makecontext(&f.context, entry, 0);
#elif defined(__x86_64__)
  auto* top = reinterpret_cast<uintptr_t*>(f.stack + f.bytes) -
              2;  // entry sees rsp = 8 mod 16, as after a call
  top[1] = 0;
  top[0] = reinterpret_cast<uintptr_t>(entry);
  std::memset(top - 6, 0, 6 * sizeof(*top));
  f.sp = top - 6;
#else
  auto* top = reinterpret_cast<uintptr_t*>(f.stack + f.bytes) - 20;
  std::memset(top, 0, 160);
  top[11] = reinterpret_cast<uintptr_t>(entry);
  f.sp = top;
#endif
}

void fiber_switch(Fiber& from, Fiber& to) {
#ifdef EMU_ASAN
  __sanitizer_start_switch_fiber(&from.asan, to.stack, to.bytes);
#endif
#if defined(EMU_UCONTEXT)
  swapcontext(&from.context, &to.context);
#else
  emu_switch(&from.sp, to.sp);
#endif
#ifdef EMU_ASAN
  __sanitizer_finish_switch_fiber(from.asan, nullptr, nullptr);
#endif
}

void fiber_entered() {
#ifdef EMU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

void fiber_on_death([[maybe_unused]] void (*f)()) {
#ifdef EMU_ASAN
  __sanitizer_set_death_callback(f);
#endif
}

void fiber_adopt_host(Fiber& f) {
  pthread_attr_t a;
  void* base = nullptr;
  pthread_getattr_np(pthread_self(), &a);
  pthread_attr_getstack(&a, &base, &f.bytes);
  pthread_attr_destroy(&a);
  f.stack = static_cast<char*>(base);
}
}  // namespace emu
