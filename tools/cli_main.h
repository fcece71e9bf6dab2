// The frame around every program: what a failure looks like and which exit code it gives.
#pragma once

#include <functional>

namespace mrcnn {

// Runs `body` and returns its result as the process's exit code. An exception becomes one line
// "<name>: <message>" on stderr: an Error gives its own exit code, memory that could not be had
// kResources, anything else kInternal (a bug of ours).
int run_program(const char* name, const std::function<int()>& body);

}  // namespace mrcnn
