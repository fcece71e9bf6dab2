// Fibers: one saved stack pointer each. ASan is told about every switch.
#pragma once
#include <cstddef>
#if defined(EMU_UCONTEXT)
#include <ucontext.h>
#endif
namespace emu {
struct Fiber {
  void* sp = nullptr;
  char* stack = nullptr;  // lowest address; null: the host thread's own stack
  size_t bytes = 0;
  void* asan = nullptr;
#if defined(EMU_UCONTEXT)
  ucontext_t context{};
#endif
};
inline constexpr size_t kStackBytes = 64 * 1024;  // plus a guard page
void fiber_create(Fiber&);
void fiber_prepare(Fiber&,
                   void (*entry)());  // (re)start at entry; whatever ran there before is abandoned
void fiber_switch(Fiber& from, Fiber& to);
void fiber_adopt_host(Fiber&);
void fiber_on_death(void (*f)());  // called when a sanitizer ends the program
void fiber_entered();              // first thing an entry calls
}  // namespace emu
