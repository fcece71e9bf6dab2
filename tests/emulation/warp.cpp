// Warp operations: a rendezvous of the lanes of a mask; the last one to arrive computes the result
// of every lane. Disjoint masks of divergent branches may be under way at the same time.
#include <algorithm>
#include <cstring>

#include "tests/emulation/engine.h"

namespace emu {
namespace {

// Lane 0 of the warp of a thread.
Thread* lanes_of(const Thread& thread) { return &engine.threads[thread.warp * 32u]; }

bool is_shuffle(WarpOp op) { return op >= WarpOp::kIndex && op <= WarpOp::kXorLane; }

unsigned combine(WarpOp op, bool is_signed, unsigned a, unsigned b) {
  const auto signed_a = static_cast<int>(a), signed_b = static_cast<int>(b);
  switch (op) {
    case WarpOp::kAdd:
      return a + b;
    case WarpOp::kMin:
      return is_signed ? static_cast<unsigned>(std::min(signed_a, signed_b)) : std::min(a, b);
    case WarpOp::kMax:
      return is_signed ? static_cast<unsigned>(std::max(signed_a, signed_b)) : std::max(a, b);
    case WarpOp::kAnd:
    case WarpOp::kAll:
      return a & b;
    case WarpOp::kXor:
      return a ^ b;
    default:
      return a | b;
  }
}

// The one value that ballots, votes and reductions give to all lanes.
unsigned reduce(const Rendezvous& meeting, const Thread* lanes) {
  unsigned all = 0;
  bool first = true;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((meeting.arrived >> lane & 1u) == 0) continue;
    unsigned value = 0;
    std::memcpy(&value, lanes[lane].in, sizeof(value));
    if (meeting.op == WarpOp::kBallot) value <<= lane;
    all = first ? value : combine(meeting.op, lanes[lane].argument == 1, all, value);
    first = false;
  }
  return all;
}

int source_lane(WarpOp op, const Thread& thread) {
  const int lane = thread.lane, width = thread.width, argument = thread.argument;
  const int group = lane & ~(width - 1), inside = lane - group;
  switch (op) {
    case WarpOp::kIndex:
      return group + (argument & (width - 1));
    case WarpOp::kUp:
      return inside - argument < 0 ? lane : lane - argument;
    case WarpOp::kDown:
      return inside + argument >= width ? lane : lane + argument;
    default:
      return (inside ^ argument) >= width ? lane : group + (inside ^ argument);
  }
}

// The lanes of a __syncwarp see what all of them did before it.
void join_clocks(unsigned arrived, Thread* lanes) {
  uint32_t joined[32] = {};
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((arrived >> lane & 1u) == 0) continue;
    for (int k = 0; k < 32; ++k) joined[k] = std::max(joined[k], lanes[lane].clock[k]);
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((arrived >> lane & 1u) == 0) continue;
    std::memcpy(lanes[lane].clock, joined, sizeof(joined));
    lanes[lane].clock[lane]++;
  }
}

unsigned lanes_with_same_value(const Rendezvous& meeting, const Thread* lanes,
                               const Thread& thread) {
  unsigned same = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const bool arrived = (meeting.arrived >> lane & 1u) != 0;
    if (arrived && std::memcmp(lanes[lane].in, thread.in, thread.bytes) == 0) same |= 1u << lane;
  }
  return same;
}

void give_result(const Rendezvous& meeting, const Thread* lanes, unsigned reduced, Thread& thread) {
  // Each lane's result has its own slot: a lane may run ahead to its next operation.
  if (is_shuffle(meeting.op)) {
    const int source = source_lane(meeting.op, thread);
    if (meeting.arrived >> source & 1u) {
      std::memcpy(thread.out, lanes[source].in, thread.bytes);
    } else {
      std::memset(thread.out, kPoison,
                  sizeof(thread.out));  // undefined on the device too
    }
    return;
  }
  const unsigned value =
      meeting.op == WarpOp::kMatch ? lanes_with_same_value(meeting, lanes, thread) : reduced;
  std::memcpy(thread.out, &value, sizeof(value));
}

void complete(const Rendezvous& meeting, Thread* lanes) {
  if (meeting.op == WarpOp::kSync) join_clocks(meeting.arrived, lanes);
  const bool needs_reduction = meeting.op >= WarpOp::kBallot && meeting.op != WarpOp::kMatch;
  const unsigned reduced = needs_reduction ? reduce(meeting, lanes) : 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((meeting.arrived >> lane & 1u) == 0) continue;
    if (meeting.op != WarpOp::kSync) give_result(meeting, lanes, reduced, lanes[lane]);
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((meeting.arrived >> lane & 1u) == 0) continue;
    // The last one to arrive has not stopped.
    if (lanes[lane].state == Thread::State::kAtWarpOperation) make_ready(lanes[lane]);
  }
}

void complete_what_can(Warp& warp, Thread* lanes) {
  for (size_t i = 0; i < warp.pending.size();) {
    const Rendezvous meeting = warp.pending[i];
    const unsigned missing = meeting.mask & ~meeting.arrived;
    if ((missing & warp.exists & ~warp.exited) != 0) {
      ++i;
      continue;
    }
    if (missing != 0) {
      fail_kernel(cudaErrorLaunchFailure,
                  "warp operation at %s:%d: mask 0x%08x names lanes 0x%08x "
                  "that have returned or "
                  "do not exist",
                  meeting.place.file, meeting.place.line, meeting.mask, missing);
    }
    warp.pending.erase(warp.pending.begin() + static_cast<std::ptrdiff_t>(i));
    complete(meeting, lanes);
  }
}

// The rendezvous of the mask, opened if the caller is the first one. Lanes of overlapping masks may
// be on their way to each other; it is an error only if both sides wait for each other for ever.
Rendezvous& join(Warp& warp, WarpOp op, unsigned mask, unsigned lane, Place place) {
  for (Rendezvous& meeting : warp.pending) {
    if (meeting.mask == mask && meeting.op == op) return meeting;
    const bool waits_for_caller = (meeting.mask >> lane & 1u) != 0;
    if (!waits_for_caller || (meeting.arrived & mask) == 0) continue;
    fail_kernel(cudaErrorLaunchFailure,
                "warp operations do not match: mask 0x%08x at %s:%d, mask 0x%08x at %s:%d",
                meeting.mask, meeting.place.file, meeting.place.line, mask, place.file, place.line);
  }
  warp.pending.push_back({mask, 0, op, place});
  return warp.pending.back();
}

}  // namespace

void lane_exited(Thread& thread) {
  Warp& warp = engine.warps[thread.warp];
  warp.exited |= 1u << thread.lane;
  if (!warp.pending.empty()) complete_what_can(warp, lanes_of(thread));
}

void warp_operation(WarpOp op, unsigned mask, const void* in, void* out, unsigned bytes,
                    int argument, int width, Place place) {
  const InRuntime marked;
  Thread& thread = *engine.current;
  Warp& warp = engine.warps[thread.warp];
  if ((mask >> thread.lane & 1u) == 0) {
    fail_kernel(cudaErrorLaunchFailure,
                "warp operation at %s:%d: mask 0x%08x does not name the "
                "calling lane %u",
                place.file, place.line, mask, thread.lane);
  }
  Rendezvous& meeting = join(warp, op, mask, thread.lane, place);
  meeting.arrived |= 1u << thread.lane;
  thread.op = op;
  thread.argument = argument;
  thread.width = width;
  thread.bytes = bytes;
  thread.place = place;
  if (bytes != 0) std::memcpy(thread.in, in, bytes);
  if ((mask & warp.exists & ~warp.exited & ~meeting.arrived) != 0) {
    thread.state = Thread::State::kAtWarpOperation;
    wait_here();
  } else {
    complete_what_can(warp, lanes_of(thread));
  }
  if (bytes != 0) std::memcpy(out, thread.out, op == WarpOp::kMatch ? 4 : bytes);
}

}  // namespace emu
