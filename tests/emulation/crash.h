// What a program says before it dies, and the end of kernels that never end.
#pragma once

namespace emu {

// From here on a segmentation fault names the device memory and the code that touched it, and a
// sanitizer's report names kernel, block and thread.
void install_crash_reports();
// The calling thread can report that a fiber's stack is full.
void use_signal_stack();
// Ends the program when one launch takes more than options().watchdog_seconds of processor time.
void start_watchdog();

}  // namespace emu
