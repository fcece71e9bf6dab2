// Fibers: stacks that a device thread runs on, and the switch between them. AddressSanitizer is
// told about every switch, so that it knows which stack it looks at.
#pragma once

#include <cstddef>

namespace emu {

struct Fiber {
  void* stack_pointer = nullptr;  // saved while another fiber runs
  char* stack = nullptr;          // lowest address
  size_t bytes = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's handle
};

inline constexpr size_t kStackBytes = 64 * 1024;
inline constexpr size_t kGuardBytes = 4096;  // below the stack, not accessible

// Maps a stack with its guard page.
void fiber_create(Fiber& fiber);
// The next switch to the fiber starts `entry`; whatever ran there before is abandoned.
void fiber_prepare(Fiber& fiber, void (*entry)());
void fiber_switch(Fiber& from, Fiber& to);
// The first thing an entry calls.
void fiber_entered();
// Describes the calling thread's own stack.
void fiber_adopt_caller(Fiber& fiber);

}  // namespace emu
