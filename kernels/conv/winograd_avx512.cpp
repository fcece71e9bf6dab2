#include "kernels/conv/winograd_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define MRCNN_SIMD __attribute__((target("avx512f")))

namespace mrcnn::cpu {
namespace avx512 {
namespace {

using Vector = __m512;
constexpr int64_t kLanes = 16;
// 28 of the 32 registers hold sums; two hold weights and one a broadcast value.
constexpr int kProductRows = 14;
constexpr int kVectorsPerRow = 2;

MRCNN_SIMD inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
MRCNN_SIMD inline void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
MRCNN_SIMD inline Vector broadcast(float value) { return _mm512_set1_ps(value); }
MRCNN_SIMD inline Vector zero() { return _mm512_setzero_ps(); }
MRCNN_SIMD inline Vector add(Vector x, Vector y) { return _mm512_add_ps(x, y); }
MRCNN_SIMD inline Vector subtract(Vector x, Vector y) { return _mm512_sub_ps(x, y); }
MRCNN_SIMD inline Vector maximum(Vector x, Vector y) { return _mm512_maskz_max_ps(0xFFFF, x, y); }
MRCNN_SIMD inline Vector multiply_add(Vector x, Vector y, Vector z) {
  return _mm512_fmadd_ps(x, y, z);
}
MRCNN_SIMD inline Vector negated_multiply_add(Vector x, Vector y, Vector z) {
  return _mm512_fnmadd_ps(x, y, z);
}

#include "kernels/conv/winograd_kernels.inc"

}  // namespace
}  // namespace avx512

const WinogradKernels kWinogradAvx512{
    .name = "avx512",
    .product_rows = avx512::kProductRows,
    .product_columns = avx512::kVectorsPerRow * avx512::kLanes,
    .input_transform = avx512::input_transform,
    .product = avx512::product_of_at_most<avx512::kProductRows>,
    .output_transform = avx512::output_transform,
    .gradient_transform = avx512::gradient_transform,
    .accumulate = avx512::accumulate_at_most<avx512::kProductRows>};

}  // namespace mrcnn::cpu
#endif
