#include "tests/emulation/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" void mrcnn_fiber_switch(void** save, void* load);

// A switch is a function call, so only the registers that a callee must keep move; the
// floating-point control words are the same everywhere. swapcontext would cost a system call.
#if defined(__x86_64__)
asm(R"(.text
.globl mrcnn_fiber_switch
.type mrcnn_fiber_switch,@function
mrcnn_fiber_switch:
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
.size mrcnn_fiber_switch,.-mrcnn_fiber_switch
)");
#elif defined(__aarch64__)
asm(R"(.text
.globl mrcnn_fiber_switch
.type mrcnn_fiber_switch,%function
mrcnn_fiber_switch:
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
.size mrcnn_fiber_switch,.-mrcnn_fiber_switch
)");
#else
#error "the emulated device knows x86-64 and aarch64: add mrcnn_fiber_switch for this processor"
#endif

namespace emu {

void fiber_create(Fiber& fiber) {
  void* const memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) std::abort();
  fiber.stack = static_cast<char*>(memory) + kGuardBytes;
  fiber.bytes = kStackBytes;
}

// Lays the stack out as mrcnn_fiber_switch leaves it, with `entry` as the address to return to.
void fiber_prepare(Fiber& fiber, void (*entry)()) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(fiber.stack, fiber.bytes);
#endif
  fiber.fake_stack = nullptr;
  auto* const end = reinterpret_cast<uintptr_t*>(fiber.stack + fiber.bytes);
#if defined(__x86_64__)
  constexpr int kRegisters = 6, kReturn = 6;
  uintptr_t* const top = end - 8;  // the entry sees a stack pointer of 8 mod 16, as after a call
  top[kReturn + 1] = 0;
#else
  constexpr int kRegisters = 20, kReturn = 11;
  uintptr_t* const top = end - kRegisters;
#endif
  std::memset(top, 0, kRegisters * sizeof(*top));
  top[kReturn] = reinterpret_cast<uintptr_t>(entry);
  fiber.stack_pointer = top;
}

void fiber_switch(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.bytes);
#endif
  mrcnn_fiber_switch(&from.stack_pointer, to.stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

void fiber_entered() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

void fiber_adopt_caller(Fiber& fiber) {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) std::abort();
  void* stack = nullptr;
  pthread_attr_getstack(&attributes, &stack, &fiber.bytes);
  pthread_attr_destroy(&attributes);
  fiber.stack = static_cast<char*>(stack);
}

}  // namespace emu
