// The checks behind memory accesses of kernels. Two implementations, one per build:
// checks_hooks.cpp keeps own books of every byte and gets every access from compiler hooks;
// checks_asan.cpp marks the same memory for AddressSanitizer.
#pragma once

#include <cstddef>

namespace emu {

// Called once, with the address range of all device memory, before any other function here.
void start_checks(char* arena, size_t arena_bytes);

// The bytes of an allocation of `span` bytes with its red zone: fresh ones may be written and then
// read, released ones neither.
void mark_fresh(char* begin, size_t bytes, size_t span);
void mark_released(char* begin, size_t bytes);
// Written by a copy or by host code.
void mark_written(void* begin, size_t bytes);
// `to` is as written as `from` was.
void copy_marks(void* to, const void* from, size_t bytes);

// A launch begins; its blocks have `dynamic_bytes` of dynamic shared memory at `dynamic`.
void begin_checks(char* dynamic, size_t dynamic_bytes);
// An atomic operation of the current thread, called from `pc`.
void check_atomic(const void* pointer, unsigned bytes, const void* pc);

}  // namespace emu
