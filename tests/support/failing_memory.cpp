#include "tests/support/failing_memory.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <new>

#include "core/error.h"
#include "core/fault.h"

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
std::atomic<int64_t> g_first{kNever};  // the one that fails
std::atomic<bool> g_stays{false};      // and all after it
std::atomic<int64_t> g_count{0};
std::atomic<int64_t> g_failures{0};
std::atomic<int64_t> g_live{0};  // blocks of operator new

bool fails() {
  const int64_t number = ++g_count;
  const int64_t first = g_first;
  if (number != first && (number < first || !g_stays)) return false;
  ++g_failures;
  return true;
}

void* take(size_t bytes, size_t alignment) {
  if (fails()) return nullptr;
  const size_t wanted = bytes == 0 ? 1 : bytes;
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(wanted)
          : std::aligned_alloc(alignment, (wanted + alignment - 1) / alignment * alignment);
  if (memory != nullptr) ++g_live;
  return memory;
}

void* take_or_throw(size_t bytes, size_t alignment) {
  void* memory = take(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  --g_live;
  std::free(memory);
}

}  // namespace

void* operator new(size_t bytes) { return take_or_throw(bytes, 1); }
void* operator new[](size_t bytes) { return take_or_throw(bytes, 1); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, 1); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, 1); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { give_back(memory); }

namespace mrcnn::test {
namespace {

Fault refuse(const FaultPlace& place) {
  const bool is_memory = place.name == "alloc";
  return is_memory && fails() ? Fault{.kind = FaultKind::kError} : Fault{};
}

struct Outcome {
  int64_t failures = 0;
  bool succeeded = false;
  std::string problem;
};

Outcome run_once(const std::function<void()>& body, int64_t first, bool stays) {
  Outcome outcome;
  g_count = 0;
  g_failures = 0;
  g_stays = stays;
  set_fault_hook(refuse);
  g_first = first;
  const auto over = [] { g_first = kNever; };
  try {
    body();
    over();
    outcome.succeeded = true;
  } catch (const std::bad_alloc&) {
    over();
  } catch (const Error& error) {
    over();
    if (error.exit_code() != ExitCode::kResources) outcome.problem = error.what();
  } catch (const std::exception& error) {
    over();
    outcome.problem = error.what();
  }
  set_fault_hook(nullptr);
  outcome.failures = g_failures;
  return outcome;
}

}  // namespace

MemoryTrial fail_each_allocation(const std::function<void()>& body, int64_t stride) {
  if (std::getenv("MRCNN_FULL_TRIALS") != nullptr) stride = 1;
  MemoryTrial trial;
  for (int warm_up = 0; warm_up < 2; ++warm_up) run_once(body, kNever, false);
  trial.allocations = g_count;
  for (const bool stays : {false, true}) {
    for (int64_t number = 1;; number += stride) {
      const int64_t live = g_live;
      const Outcome outcome = run_once(body, number, stays);
      if (outcome.failures == 0) {
        if (!outcome.succeeded) trial.problem = "no success without failures: " + outcome.problem;
        break;
      }
      ++trial.failed_runs;
      // What a failed run left to be used again, such as gradients, is gone after a good one.
      if (g_live != live && outcome.problem.empty()) run_once(body, kNever, false);
      const int64_t left = outcome.problem.empty() ? g_live - live : 0;
      if (!trial.problem.empty() || (outcome.problem.empty() && left == 0)) continue;
      trial.problem = "allocation " + std::to_string(number) + (stays ? "+: " : ": ");
      trial.problem +=
          left == 0 ? outcome.problem : std::to_string(left) + " blocks were not given back";
    }
  }
  return trial;
}

}  // namespace mrcnn::test
