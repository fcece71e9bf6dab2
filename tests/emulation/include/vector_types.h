// CUDA's built-in vector types and dim3, with the alignment the device demands.
#pragma once

#define MRCNN_EMULATION_VECTOR(T, name, align2, align4)              \
  struct alignas(sizeof(T)) name##1 {                                \
    T x;                                                             \
  };                                                                 \
  struct alignas(align2) name##2 {                                   \
    T x, y;                                                          \
  };                                                                 \
  struct name##3 {                                                   \
    T x, y, z;                                                       \
  };                                                                 \
  struct alignas(align4) name##4 {                                   \
    T x, y, z, w;                                                    \
  };                                                                 \
  inline name##1 make_##name##1(T x) { return {x}; }                 \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }         \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

MRCNN_EMULATION_VECTOR(signed char, char, 2, 4)
MRCNN_EMULATION_VECTOR(unsigned char, uchar, 2, 4)
MRCNN_EMULATION_VECTOR(short, short, 4, 8)
MRCNN_EMULATION_VECTOR(unsigned short, ushort, 4, 8)
MRCNN_EMULATION_VECTOR(int, int, 8, 16)
MRCNN_EMULATION_VECTOR(unsigned, uint, 8, 16)
MRCNN_EMULATION_VECTOR(long long, longlong, 16, 16)
MRCNN_EMULATION_VECTOR(unsigned long long, ulonglong, 16, 16)
MRCNN_EMULATION_VECTOR(float, float, 8, 16)
MRCNN_EMULATION_VECTOR(double, double, 16, 16)
#undef MRCNN_EMULATION_VECTOR

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
};
