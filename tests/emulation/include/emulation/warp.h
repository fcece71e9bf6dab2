// Barriers, warp operations and atomics of device code. Every waiting call carries the place it was
// written at: compilers duplicate and merge code, so a return address does not name the line.
#pragma once

#include <type_traits>

#include "tests/emulation/include/vector_types.h"

inline uint3 threadIdx, blockIdx;  // set by the scheduler at every switch
inline dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace emu {

enum class WarpOp : int {
  kSync,
  kIndex,
  kUp,
  kDown,
  kXorLane,
  kBallot,
  kAll,
  kAny,
  kMatch,
  kAdd,
  kMin,
  kMax,
  kAnd,
  kOr,
  kXor
};
enum class BlockOp : int { kNone, kCount, kAnd, kOr };

struct Place {
  const char* file;
  int line;
};

int block_barrier(BlockOp op, int predicate, Place place);
// `argument` is the lane or distance of a shuffle, or 1 for a signed reduction.
void warp_operation(WarpOp op, unsigned mask, const void* in, void* out, unsigned bytes,
                    int argument, int width, Place place);
void* dynamic_shared();
// Checks the access, keeps the books of races, and now and then lets another thread go first.
void atomic_access(const void* pointer, unsigned bytes);
void fence();
[[noreturn]] void trap(Place place);

template <typename T>
T warp(WarpOp op, unsigned mask, T value, int argument, int width, Place place) {
  static_assert(sizeof(T) <= 16 && std::is_trivially_copyable_v<T>);
  T out;
  warp_operation(op, mask, &value, &out, sizeof(T), argument, width, place);
  return out;
}

// Device threads switch only inside the runtime, so a plain read and write is one step; the hook of
// the read must not see it as an unordered access.
template <typename T, typename Function>
__attribute__((no_sanitize_thread)) T atomic(T* pointer, Function function) {
  atomic_access(pointer, sizeof(T));
  const T old = *pointer;
  *pointer = function(old);
  return old;
}

}  // namespace emu

#define MRCNN_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define MRCNN_PLACE \
  emu::Place { file, line }

inline void __syncthreads(MRCNN_HERE) { emu::block_barrier(emu::BlockOp::kNone, 0, MRCNN_PLACE); }
inline int __syncthreads_count(int predicate, MRCNN_HERE) {
  return emu::block_barrier(emu::BlockOp::kCount, predicate, MRCNN_PLACE);
}
inline int __syncthreads_and(int predicate, MRCNN_HERE) {
  return emu::block_barrier(emu::BlockOp::kAnd, predicate, MRCNN_PLACE);
}
inline int __syncthreads_or(int predicate, MRCNN_HERE) {
  return emu::block_barrier(emu::BlockOp::kOr, predicate, MRCNN_PLACE);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, MRCNN_HERE) {
  emu::warp_operation(emu::WarpOp::kSync, mask, nullptr, nullptr, 0, 0, 32, MRCNN_PLACE);
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, MRCNN_HERE) {
  return emu::warp(emu::WarpOp::kIndex, mask, value, lane, width, MRCNN_PLACE);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, MRCNN_HERE) {
  return emu::warp(emu::WarpOp::kUp, mask, value, static_cast<int>(delta), width, MRCNN_PLACE);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, MRCNN_HERE) {
  return emu::warp(emu::WarpOp::kDown, mask, value, static_cast<int>(delta), width, MRCNN_PLACE);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, MRCNN_HERE) {
  return emu::warp(emu::WarpOp::kXorLane, mask, value, lanes, width, MRCNN_PLACE);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, MRCNN_HERE) {
  return emu::warp(emu::WarpOp::kBallot, mask, unsigned{predicate != 0}, 0, 32, MRCNN_PLACE);
}
inline int __all_sync(unsigned mask, int predicate, MRCNN_HERE) {
  return static_cast<int>(
      emu::warp(emu::WarpOp::kAll, mask, unsigned{predicate != 0}, 0, 32, MRCNN_PLACE));
}
inline int __any_sync(unsigned mask, int predicate, MRCNN_HERE) {
  return static_cast<int>(
      emu::warp(emu::WarpOp::kAny, mask, unsigned{predicate != 0}, 0, 32, MRCNN_PLACE));
}
// The lanes of the mask whose value has the same bits.
template <typename T>
unsigned __match_any_sync(unsigned mask, T value, MRCNN_HERE) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  unsigned out = 0;
  emu::warp_operation(emu::WarpOp::kMatch, mask, &value, &out, sizeof(T), 0, 32, MRCNN_PLACE);
  return out;
}
#define MRCNN_WARP_REDUCE(name, op)                                                   \
  inline unsigned __reduce_##name##_sync(unsigned mask, unsigned value, MRCNN_HERE) { \
    return emu::warp(emu::WarpOp::op, mask, value, 0, 32, MRCNN_PLACE);               \
  }                                                                                   \
  inline int __reduce_##name##_sync(unsigned mask, int value, MRCNN_HERE) {           \
    return emu::warp(emu::WarpOp::op, mask, value, 1, 32, MRCNN_PLACE);               \
  }
MRCNN_WARP_REDUCE(add, kAdd)
MRCNN_WARP_REDUCE(min, kMin)
MRCNN_WARP_REDUCE(max, kMax)
#undef MRCNN_WARP_REDUCE
#define MRCNN_WARP_REDUCE(name, op)                                                   \
  inline unsigned __reduce_##name##_sync(unsigned mask, unsigned value, MRCNN_HERE) { \
    return emu::warp(emu::WarpOp::op, mask, value, 0, 32, MRCNN_PLACE);               \
  }
MRCNN_WARP_REDUCE(and, kAnd)
MRCNN_WARP_REDUCE(or, kOr)
MRCNN_WARP_REDUCE(xor, kXor)
#undef MRCNN_WARP_REDUCE

// Only the caller's own bit: legal, since nothing promises that other lanes are converged, and
// unhelpful to code that hopes they are.
inline unsigned __activemask() {
  return 1u << ((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) & 31u);
}
inline void __threadfence() { emu::fence(); }
inline void __threadfence_block() {}
inline void __threadfence_system() { emu::fence(); }
inline void __trap(MRCNN_HERE) { emu::trap(MRCNN_PLACE); }
#undef MRCNN_PLACE
#undef MRCNN_HERE

#define MRCNN_ATOMIC(name, expression)                                       \
  template <typename T>                                                      \
  T name(T* pointer, std::type_identity_t<T> value) {                        \
    return emu::atomic(pointer, [value](T old) -> T { return expression; }); \
  }
MRCNN_ATOMIC(atomicAdd, old + value)
MRCNN_ATOMIC(atomicSub, old - value)
MRCNN_ATOMIC(atomicMax, old < value ? value : old)
MRCNN_ATOMIC(atomicMin, value < old ? value : old)
MRCNN_ATOMIC(atomicOr, old | value)
MRCNN_ATOMIC(atomicAnd, old& value)
MRCNN_ATOMIC(atomicXor, old ^ value)
MRCNN_ATOMIC(atomicExch, (static_cast<void>(old), value))
MRCNN_ATOMIC(atomicInc, old >= value ? T(0) : old + 1)
MRCNN_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef MRCNN_ATOMIC
template <typename T>
T atomicCAS(T* pointer, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return emu::atomic(pointer, [=](T old) -> T { return old == compare ? value : old; });
}
