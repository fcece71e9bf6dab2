// Between launch.cpp, which walks the blocks, and schedule.cpp, which runs the threads of one.
#pragma once

namespace emu {

// Runs the threads of the present block to their end, or until one of them fails.
void run_threads();
// Makes all fibers start afresh, whatever they were doing.
void abandon_fibers();
// Goes back to run_threads() for good.
[[noreturn]] void leave_failed_kernel();

}  // namespace emu
