// The books that checks_hooks.cpp keeps of shared and of device memory. The running thread's moment
// is its epoch (launch, block, barriers) and its clock inside the warp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emu {

enum class Access : uint8_t { kRead, kWrite, kAtomic };

// Shared memory: static variables and the dynamic part.
void start_shared_shadow();
void begin_shared_shadow(char* dynamic, size_t dynamic_bytes);
// True if the address is shared memory; checks the access then.
bool check_shared(const char* address, size_t bytes, Access access);

void start_device_shadow(char* arena, size_t arena_bytes);
bool in_device_shadow(const char* address);
void check_device(const char* address, size_t bytes, Access access);

// Did something at `epoch` and `clock` by `thread` of this block happen before the present moment
// of the current thread?
bool is_ordered(uint32_t epoch, uint32_t clock, unsigned thread);
// Ends the launch with a race on `what`.
[[noreturn]] void fail_race(const char* what, Access mine, const char* other, unsigned thread);

}  // namespace emu
