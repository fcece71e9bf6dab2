// Compiles a plain loop for several x86-64 levels; the best one for this machine is picked when the
// program is loaded. For functions whose loops the compiler vectorises. Results do not depend on
// the choice, because floating-point contraction is off. Put it on plain (not template) functions,
// and keep those to a loop body's worth of work: what they call is compiled for the base level
// unless it is inlined.
// Off under sanitizers: the resolvers run before the sanitizer's runtime is ready.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MRCNN_TARGET_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MRCNN_TARGET_CLONES
#endif
