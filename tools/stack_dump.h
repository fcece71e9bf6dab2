// What every thread of this process is doing, for a program that has stopped getting on.
#pragma once

#include <string>

namespace mrcnn {

// Prepares the signal that threads answer with their stack. Once, early: the first use of the
// system's unwinder loads a library, which a thread that hangs may prevent.
void prepare_stack_dump();

// A text of several lines: each thread's number and its calls, innermost first. A thread that does
// not answer within a second is said to wait in the kernel. For one caller at a time.
std::string stacks_of_all_threads();

}  // namespace mrcnn
