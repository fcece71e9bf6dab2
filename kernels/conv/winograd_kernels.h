// The inner loops of the Winograd convolution (winograd.h) and of the gradients of weights,
// compiled once per instruction set. All vectors run over channels, so one function serves every
// image size.
//
// F(4x4, 3x3): a tile of 6x6 input pixels gives 4x4 outputs. In each of its 36 transformed
// positions the convolution is a product of [tiles, C] with [C, O]. The transforms interpolate at
// 0, +-a, +-b and infinity. With d the six inputs, m the six products:
//   input   v0 = a2*b2*d0 - (a2 + b2)*d2 + d4      v5 = a2*b2*d1 - (a2 + b2)*d3 + d5
//           v1, v2 = (d4 - b2*d2) +- a*(d3 - b2*d1)
//           v3, v4 = (d4 - a2*d2) +- b*(d3 - a2*d1)
//   output  y0 = m0 + (m1 + m2) + (m3 + m4)        y1 = a *(m1 - m2) + b *(m3 - m4)
//           y2 = a2*(m1 + m2) + b2*(m3 + m4)       y3 = a3*(m1 - m2) + b3*(m3 - m4) + m5
//   The gradient of the products is the adjoint of the output transform, that of the filters the
//   adjoint of the filter transform.
// a = 5/8 and b = 3/2: every constant is exact in f32, and the rounding error of the convolution is
// half of that with the textbook's 1 and 2 (it grows with the spread of the points' powers).
// Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016, sec. 4; the
// matrices are Toom-Cook's for these points.
#pragma once

#include <cstdint>
#include <span>

namespace mrcnn::cpu {

inline constexpr int64_t kWinogradTile = 4;                   // outputs per side
inline constexpr int64_t kWinogradPatch = kWinogradTile + 2;  // inputs per side
inline constexpr int64_t kWinogradPositions = kWinogradPatch * kWinogradPatch;

namespace winograd_points {
inline constexpr float a = 0.625F, a2 = a * a, a3 = a2 * a;
inline constexpr float b = 1.5F, b2 = b * b, b3 = b2 * b;
inline constexpr float product = a2 * b2, sum = a2 + b2;
}  // namespace winograd_points

// Channels must be a multiple of this in the transforms.
inline constexpr int64_t kWinogradChannelStep = 16;

// One cache line between rows or positions of transformed values: without it they would fall into
// one set of the cache, because their sizes are multiples of big powers of two.
inline constexpr int64_t kWinogradPadding = 16;

// Where the outputs of a tile go. Rows and columns past the image's edge are not written.
struct WinogradTarget {
  float* output = nullptr;          // first output pixel of the tile
  const float* residual = nullptr;  // the same place in the residual, or nullptr
  const float* bias = nullptr;      // or nullptr
  int64_t row_stride = 0;           // elements from one image row to the next
  int64_t pixel_stride = 0;         // elements from one pixel to the next
  int64_t rows = 0;                 // 1..4
  int64_t columns = 0;              // 1..4
  bool relu = false;
};

struct WinogradKernels {
  const char* name = "";
  int64_t product_rows = 0;     // tiles that one call of `product` takes at most
  int64_t product_columns = 0;  // outputs in a packed panel of weights

  // pixels: the patch's 36 pixels, row by row; transformed: position p goes to
  // transformed + p * position_stride. `channels` values each.
  void (*input_transform)(const float* const* pixels, int64_t channels, float* transformed,
                          int64_t position_stride) = nullptr;

  // products [rows, product_columns] = tiles [rows, depth] * panel [depth, product_columns].
  // tile_stride and product_stride: elements between rows. Each sum runs over depth in order, so a
  // result does not depend on how tiles are grouped.
  void (*product)(const float* tiles, int64_t tile_stride, int64_t rows, const float* panel,
                  int64_t depth, float* products, int64_t product_stride) = nullptr;

  // products: position p lies at products + p * position_stride.
  void (*output_transform)(const float* products, int64_t position_stride, int64_t channels,
                           const WinogradTarget& target) = nullptr;

  // The gradient of the products from that of a tile's outputs. pixels: the tile's 16 pixels, row
  // by row; transformed as in input_transform.
  void (*gradient_transform)(const float* const* pixels, int64_t channels, float* transformed,
                             int64_t position_stride) = nullptr;

  // sums [rows, product_columns] = left^T [rows, depth] * right [depth, product_columns], plus what
  // they held with add_to_sums. Row k of left starts at left + k * left_stride; rows <=
  // product_rows. The products are added up in the order of k before the sum is. May fetch, not
  // read, past the end.
  void (*accumulate)(const float* left, int64_t left_stride, int64_t rows, const float* right,
                     int64_t right_stride, int64_t depth, bool add_to_sums, float* sums,
                     int64_t sums_stride) = nullptr;
};

// What this machine can run, best first; empty without AVX2 and FMA.
std::span<const WinogradKernels> winograd_kernels();

#if defined(__x86_64__)
extern const WinogradKernels kWinogradAvx2;
extern const WinogradKernels kWinogradAvx512;
#endif

}  // namespace mrcnn::cpu
