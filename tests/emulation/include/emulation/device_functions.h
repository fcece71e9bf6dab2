// Arithmetic functions and intrinsics of device code beyond <cmath>. Rounding differs from the
// device's where nvcc contracts to FMA or an intrinsic is approximate: tests that run on both
// compare with tolerances.
#pragma once

#include <math.h>

#include <bit>
#include <cmath>
#include <cstdint>

template <typename T>
T __ldg(const T* pointer) {
  return *pointer;
}
// Cache hints change speed only.
#define MRCNN_CACHED_ACCESS(hint)    \
  template <typename T>              \
  T __ld##hint(const T* pointer) {   \
    return *pointer;                 \
  }                                  \
  template <typename T>              \
  void __st##hint(T* pointer, T v) { \
    *pointer = v;                    \
  }
MRCNN_CACHED_ACCESS(cg)
MRCNN_CACHED_ACCESS(cs)
#undef MRCNN_CACHED_ACCESS

// Bits
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __popcll(unsigned long long v) { return std::popcount(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return std::countl_zero(static_cast<unsigned long long>(v)); }
inline unsigned long long __brevll(unsigned long long v) {
  unsigned long long reversed = 0;
  for (int i = 0; i < 64; ++i) reversed |= (v >> i & 1u) << (63 - i);
  return reversed;
}
inline unsigned __brev(unsigned v) { return static_cast<unsigned>(__brevll(v) >> 32); }
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  const uint64_t both = uint64_t{high} << 32 | low;
  return static_cast<unsigned>(both << (shift & 31u) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  const uint64_t both = uint64_t{high} << 32 | low;
  return static_cast<unsigned>(both >> (shift & 31u));
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const uint64_t both = uint64_t{b} << 32 | a;
  unsigned out = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned pick = selector >> (4 * i) & 15u;
    unsigned byte = static_cast<unsigned>(both >> (8 * (pick & 7u))) & 255u;
    if (pick & 8u) byte = byte & 128u ? 255u : 0u;  // replicates the sign
    out |= byte << (8 * i);
  }
  return out;
}
inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }

// Integers
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((uint64_t{a} * b) >> 32);
}
inline int __mulhi(int a, int b) { return static_cast<int>((int64_t{a} * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}

// Floating point: one rounding each, never contracted to FMA.
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float v) { return std::sqrt(v); }
inline float __frcp_rn(float v) { return 1.0f / v; }
inline float __frsqrt_rn(float v) { return 1.0f / std::sqrt(v); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float v) { return 1.0f / std::sqrt(v); }
inline double rsqrt(double v) { return 1.0 / std::sqrt(v); }
inline float __saturatef(float v) { return v > 0.0f ? (v < 1.0f ? v : 1.0f) : 0.0f; }
// glibc's <math.h> declares these names itself, hence macros.
#define __expf(v) expf(v)
#define __logf(v) logf(v)
#define __log2f(v) log2f(v)
#define __powf(v, e) powf(v, e)
#define __sinf(v) sinf(v)
#define __cosf(v) cosf(v)

// Conversions: out of range saturates and NaN becomes 0, as on the device.
namespace emu {
template <typename To>
To saturating_cast(float v) {
  if (std::isnan(v)) return 0;
  const double wide = v;
  constexpr double kLow = static_cast<double>(std::numeric_limits<To>::min());
  constexpr double kHigh = static_cast<double>(std::numeric_limits<To>::max());
  if (wide <= kLow) return std::numeric_limits<To>::min();
  if (wide >= kHigh) return std::numeric_limits<To>::max();
  return static_cast<To>(v);
}
}  // namespace emu
#define MRCNN_FLOAT_TO(name, type)                                                           \
  inline type __float2##name##_rn(float v) { return emu::saturating_cast<type>(rintf(v)); }  \
  inline type __float2##name##_rd(float v) { return emu::saturating_cast<type>(floorf(v)); } \
  inline type __float2##name##_ru(float v) { return emu::saturating_cast<type>(ceilf(v)); }  \
  inline type __float2##name##_rz(float v) { return emu::saturating_cast<type>(truncf(v)); }
MRCNN_FLOAT_TO(int, int)
MRCNN_FLOAT_TO(uint, unsigned)
MRCNN_FLOAT_TO(ll, long long)
MRCNN_FLOAT_TO(ull, unsigned long long)
#undef MRCNN_FLOAT_TO
inline float __int2float_rn(int v) { return static_cast<float>(v); }
inline float __uint2float_rn(unsigned v) { return static_cast<float>(v); }
inline float __ll2float_rn(long long v) { return static_cast<float>(v); }

#define MRCNN_MIN_MAX(A, B, T)                                                            \
  inline T min(A a, B b) {                                                                \
    return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a); \
  }                                                                                       \
  inline T max(A a, B b) {                                                                \
    return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a); \
  }
MRCNN_MIN_MAX(int, int, int)
MRCNN_MIN_MAX(unsigned, unsigned, unsigned)
MRCNN_MIN_MAX(int, unsigned, unsigned)
MRCNN_MIN_MAX(unsigned, int, unsigned)
MRCNN_MIN_MAX(long, long, long)
MRCNN_MIN_MAX(unsigned long, unsigned long, unsigned long)
MRCNN_MIN_MAX(long long, long long, long long)
MRCNN_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
#undef MRCNN_MIN_MAX
// NaN gives way to the number, as fminf and the device's min do.
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
