// matmul: a product of two matrices, either of which may be stored transposed.
//   a        [M, K], or [K, M] with a_transposed    f32 or f64; on a GPU f32 or bf16
//   b        [K, N], or [N, K] with b_transposed    type and device of a
//   returns  [M, N] = a * b
// What the gradients of products are made of. K = 0 gives zeros.
// Gradient: none; linear.h is the recorded product.  Accumulates in the tensors' type, bf16 in f32.
// Deterministic: yes, for a given CPU or GPU type and shape, whatever the number of threads.
// Syncs host: no.  Capturable: after a first run of the same shape outside the capture.
// f64 is a plain loop, the oracle of the tests; f32 runs oneDNN's sgemm, which needs neither
// compilation nor packed operands, a GPU cuBLASLt (gemm_plan.h).
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace mrcnn {

struct MatmulParams {
  bool a_transposed = false;
  bool b_transposed = false;
  bool tf32 = false;  // on a GPU: products of f32 with 10 bits of mantissa; ignored elsewhere
};

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulParams& params = {});
// output [M, N] is overwritten and overlaps neither operand.
void matmul_into(const Tensor& a, const Tensor& b, const MatmulParams& params,
                 const Tensor& output);

struct MatmulGeometry {
  int64_t rows = 0, depth = 0, columns = 0;  // M, K, N
  bool a_transposed = false;
  bool b_transposed = false;
};

namespace cpu {
void matmul(const MatmulGeometry& g, const float* a, const float* b, float* output);
void matmul(const MatmulGeometry& g, const double* a, const double* b, double* output);
}  // namespace cpu
}  // namespace mrcnn
