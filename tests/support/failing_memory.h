// Memory that runs out on order. A program that links this has its operator new replaced; memory
// for tensors and file contents is refused by the same count (core/fault.h).
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>

namespace mrcnn::test {

struct MemoryTrial {
  int64_t allocations = 0;  // that a run without failures makes
  int64_t failed_runs = 0;
  std::string problem;  // of the first run that did anything but succeed or say "no memory"
};

// Runs `body` again and again; in the n-th run of the first round its n-th allocation fails, in the
// second round that one and all after it. A run may end with std::bad_alloc or an Error of
// ExitCode::kResources; any other error, and memory that is not given back, is a problem.
// `stride`: of the allocations of a body that takes long, every so many, unless MRCNN_FULL_TRIALS
// is set.
MemoryTrial fail_each_allocation(const std::function<void()>& body, int64_t stride = 1);

inline void check_each_allocation(const std::string& what, const std::function<void()>& body,
                                  int64_t stride = 1) {
  const MemoryTrial trial = fail_each_allocation(body, stride);
  INFO(what, ": ", trial.allocations, " allocations");
  CHECK(trial.problem == "");
  CHECK(trial.failed_runs >= 2 * (trial.allocations / stride));
  CHECK(trial.allocations > 1);
}

}  // namespace mrcnn::test
