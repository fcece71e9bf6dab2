#include "kernels/conv/winograd_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define MRCNN_SIMD __attribute__((target("avx2,fma")))

namespace mrcnn::cpu {
namespace avx2 {
namespace {

using Vector = __m256;
constexpr int64_t kLanes = 8;
// 12 of the 16 registers hold sums; two hold weights and one a broadcast value.
constexpr int kProductRows = 6;
constexpr int kVectorsPerRow = 2;

MRCNN_SIMD inline Vector load(const float* p) { return _mm256_loadu_ps(p); }
MRCNN_SIMD inline void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
MRCNN_SIMD inline Vector broadcast(float value) { return _mm256_set1_ps(value); }
MRCNN_SIMD inline Vector zero() { return _mm256_setzero_ps(); }
MRCNN_SIMD inline Vector add(Vector x, Vector y) { return _mm256_add_ps(x, y); }
MRCNN_SIMD inline Vector subtract(Vector x, Vector y) { return _mm256_sub_ps(x, y); }
MRCNN_SIMD inline Vector maximum(Vector x, Vector y) { return _mm256_max_ps(x, y); }
MRCNN_SIMD inline Vector multiply_add(Vector x, Vector y, Vector z) {
  return _mm256_fmadd_ps(x, y, z);
}
MRCNN_SIMD inline Vector negated_multiply_add(Vector x, Vector y, Vector z) {
  return _mm256_fnmadd_ps(x, y, z);
}

#include "kernels/conv/winograd_kernels.inc"

}  // namespace
}  // namespace avx2

const WinogradKernels kWinogradAvx2{.name = "avx2",
                                    .product_rows = avx2::kProductRows,
                                    .product_columns = avx2::kVectorsPerRow * avx2::kLanes,
                                    .input_transform = avx2::input_transform,
                                    .product = avx2::product_of_at_most<avx2::kProductRows>,
                                    .output_transform = avx2::output_transform,
                                    .gradient_transform = avx2::gradient_transform,
                                    .accumulate = avx2::accumulate_at_most<avx2::kProductRows>};

}  // namespace mrcnn::cpu
#endif
