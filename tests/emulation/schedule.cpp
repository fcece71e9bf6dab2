// The threads of a block as fibers: which one runs next, barriers, and nobody can go on.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "tests/emulation/checks.h"
#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/schedule.h"

namespace emu {
namespace {

std::vector<std::unique_ptr<Fiber>> g_fibers;
std::vector<Fiber*> g_idle;
std::vector<uint16_t> g_ready;  // a pile; which one is taken next depends on the seed

struct Barrier {
  unsigned waiting = 0;
  int true_predicates = 0;
  BlockOp op = BlockOp::kNone;
  Place place{};
} g_barrier;

void fiber_main();

Fiber* take_fiber() {
  if (g_idle.empty()) {
    g_fibers.push_back(std::make_unique<Fiber>());
    fiber_create(*g_fibers.back());
    fiber_prepare(*g_fibers.back(), fiber_main);
    g_idle.push_back(g_fibers.back().get());
    stats().fibers = g_fibers.size();
  }
  Fiber* const fiber = g_idle.back();
  g_idle.pop_back();
  return fiber;
}

Thread* pick() {
  if (g_ready.empty()) return nullptr;
  const size_t last = g_ready.size() - 1;
  const size_t i = options().seed < 2 ? last : next_random() % g_ready.size();
  Thread* const thread = &engine.threads[g_ready[i]];
  g_ready[i] = g_ready[last];
  g_ready.pop_back();
  return thread;
}

void set_current(Thread* thread) {
  engine.current = thread;
  threadIdx = thread->index;
}

void switch_to_host(Fiber* from) {
  engine.current = nullptr;
  fiber_switch(*from, engine.host);
}

// One line per run of neighbouring threads that wait at the same place.
std::string who_waits_where() {
  std::string text;
  const auto& threads = engine.threads;
  const auto same = [](const Thread& a, const Thread& b) {
    return a.state == b.state && (a.state == Thread::State::kDone ||
                                  (a.place.line == b.place.line && a.place.file == b.place.file));
  };
  for (size_t first = 0, i = 0; i < threads.size(); ++i) {
    if (i + 1 < threads.size() && same(threads[i + 1], threads[first])) continue;
    const Thread& thread = threads[first];
    text += "\n    threads " + std::to_string(first) + "-" + std::to_string(i);
    if (thread.state == Thread::State::kDone) {
      text += " have returned";
    } else {
      text += thread.state == Thread::State::kAtBarrier ? " wait at __syncthreads, "
                                                        : " wait at a warp operation, ";
      text += std::string(thread.place.file) + ":" + std::to_string(thread.place.line);
    }
    first = i + 1;
  }
  return text;
}

[[noreturn]] void fail_stuck() {
  static std::string who;  // not on the stack of a fiber that never unwinds
  who = who_waits_where();
  fail_kernel(cudaErrorLaunchFailure,
              "divergent barrier: nobody can go on; %u of %u threads wait at "
              "__syncthreads%s",
              g_barrier.waiting, engine.num_threads, who.c_str());
}

// Leaves the thread of fiber `self`, which waits or has ended, and runs another one. Returns when
// `self` goes on: with its own thread or, if that had ended, with the new engine.current.
void run_next(Fiber* self, bool ended) {
  Thread* const next = pick();
  if (next == nullptr) {
    if (engine.num_done < engine.num_threads) fail_stuck();
    g_idle.push_back(self);
    return switch_to_host(self);
  }
  // A thread that ended hands its stack to a fresh one: kernels without barriers never switch.
  if (ended && next->fiber == nullptr) next->fiber = self;
  set_current(next);
  if (next->fiber == self) return;
  if (next->fiber == nullptr) next->fiber = take_fiber();
  if (ended) g_idle.push_back(self);
  stats().switches++;
  fiber_switch(*self, *next->fiber);
}

void fiber_main() {
  fiber_entered();
  for (;;) {
    engine.in_runtime = false;
    engine.launch->call(engine.launch->arguments);
    engine.in_runtime = true;
    Thread& thread = *engine.current;
    thread.state = Thread::State::kDone;
    engine.num_done++;
    lane_exited(thread);
    run_next(thread.fiber, true);
  }
}

int barrier_result() {
  const auto all = static_cast<int>(engine.num_threads);
  switch (g_barrier.op) {
    case BlockOp::kNone:
      return 0;
    case BlockOp::kCount:
      return g_barrier.true_predicates;
    case BlockOp::kAnd:
      return g_barrier.true_predicates == all;
    case BlockOp::kOr:
      return g_barrier.true_predicates != 0;
  }
  return 0;
}

void release_barrier() {
  const int result = barrier_result();
  engine.epoch++;
  for (size_t i = engine.threads.size(); i-- > 0;) {
    Thread& thread = engine.threads[i];
    if (thread.state != Thread::State::kAtBarrier) continue;
    thread.barrier_result = result;
    make_ready(thread);
  }
  g_barrier = {};
}

}  // namespace

void abandon_fibers() {
  g_idle.clear();
  for (const auto& fiber : g_fibers) {
    fiber_prepare(*fiber, fiber_main);
    g_idle.push_back(fiber.get());
  }
}

void run_threads() {
  g_ready.clear();
  g_barrier = {};
  engine.num_done = 0;
  const unsigned count = engine.num_threads;
  for (unsigned i = 0; i < count; ++i) {
    Thread& thread = engine.threads[i];
    thread.state = Thread::State::kReady;
    thread.fiber = nullptr;
    std::memset(thread.clock, 0, sizeof(thread.clock));
    thread.clock[thread.lane] = 1;
    // The pile is taken from its end: seed 0 runs the threads in order, seed 1 in reverse.
    g_ready.push_back(static_cast<uint16_t>(options().seed == 0 ? count - 1 - i : i));
  }
  for (Warp& warp : engine.warps) {
    warp.exited = 0;
    warp.pending.clear();
  }
  Thread* const first = pick();
  first->fiber = take_fiber();
  set_current(first);
  fiber_switch(engine.host, *first->fiber);
  if (engine.failed) abandon_fibers();
}

void make_ready(Thread& thread) {
  thread.state = Thread::State::kReady;
  g_ready.push_back(thread.id);
}

void wait_here() { run_next(engine.current->fiber, false); }

void leave_failed_kernel() {
  switch_to_host(engine.current->fiber);
  std::abort();  // never resumed
}

int block_barrier(BlockOp op, int predicate, Place place) {
  const InRuntime marked;
  Thread& thread = *engine.current;
  if (g_barrier.waiting == 0) {
    g_barrier.place = place;
    g_barrier.op = op;
  } else if (g_barrier.place.line != place.line || g_barrier.place.file != place.file) {
    fail_kernel(cudaErrorLaunchFailure,
                "divergent barrier: %u threads wait at __syncthreads in %s:%d, "
                "thread %u comes to "
                "another one in %s:%d",
                g_barrier.waiting, g_barrier.place.file, g_barrier.place.line, thread.id,
                place.file, place.line);
  }
  thread.place = place;
  thread.state = Thread::State::kAtBarrier;
  g_barrier.true_predicates += predicate != 0;
  if (++g_barrier.waiting == engine.num_threads) release_barrier();
  wait_here();
  return thread.barrier_result;
}

void atomic_access(const void* pointer, unsigned bytes) {
  check_atomic(pointer, bytes, __builtin_return_address(0));
  // Lets somebody else go first now and then.
  if (options().seed < 2 || g_ready.empty() || next_random() % 8 != 0) return;
  const InRuntime marked;
  make_ready(*engine.current);
  wait_here();
}

}  // namespace emu
