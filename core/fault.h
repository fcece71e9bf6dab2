// Places at which a test can make the program fail: calls to the file system
// (core/io/file_calls.h), memory for tensors ("alloc", "cudaMalloc", "cudaMallocHost"), and points
// that have a name, such as "loss" in step 17. A program has no hook, and a place then costs the
// reading of one pointer; only tests set one, and what obeys the environment is linked into tests
// only (tests/support/faults.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mrcnn {

enum class FaultKind {
  kNone,
  kError,  // as if the call had failed with `error`
  kShort,  // a read or write that moves only a part of its bytes
  kNan,    // a number that is none
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  int error = 0;  // of errno
};

// `number` is that of the step, where there is one; the other places are counted by the hook. The
// rest is what a file operation is about, for a test that writes down what happens.
struct FaultPlace {
  std::string_view name;
  int64_t number = -1;
  int file = -1;
  const char* path = nullptr;
  const char* new_path = nullptr;
  std::span<const std::byte> bytes = {};
  int64_t offset = -1;  // -1: where the file stands
};

// May be called by any thread; may end the process, or never return.
using FaultHook = Fault (*)(const FaultPlace& place);

// Returns the one before; nullptr: none.
FaultHook set_fault_hook(FaultHook hook);

Fault fault_at(const FaultPlace& place);

}  // namespace mrcnn
