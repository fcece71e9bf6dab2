// Matrix products by the vendor's library, with a fused epilogue: what linear layers and 1x1
// convolutions run on a GPU.
//   output [rows, out] = relu?(input [rows, in] * weight^T [out, in] + bias [out]
//                              + residual [rows, out])
// The products of gradients read an operand as it lies, transposed: input [in, rows] with
// input_transposed, weight [in, out] with weight_transposed. They have no epilogue.
// The bias is f32 or of the matrices' type. cuBLASLt adds one of the matrices' type only, so a bf16
// product with an f32 bias runs as a 1x1 convolution (kernels/conv/convolution_plan.h).
// Deterministic: yes.  Accumulates in f32.  Syncs host: no.
// Capturable: after a first run outside the capture.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/dtype.h"
#include "core/stream.h"

namespace mrcnn::cuda {

struct GemmProblem {
  int64_t rows = 0, in = 0, out = 0;
  DType dtype = DType::kF32;  // kF32 or kBF16: of every matrix
  bool tf32 = false;          // kF32 only: multiply in TF32
  bool bias = false;
  bool residual = false;
  bool relu = false;
  bool input_transposed = false;   // the input is stored [in, rows]
  bool weight_transposed = false;  // the weight is stored [in, out]

  friend auto operator<=>(const GemmProblem&, const GemmProblem&) = default;
};

// "product 1000x12544 * 1024x12544 + bias + relu, bf16"
std::string describe(const GemmProblem& problem);

// Throws ShapeError with the problem's description if it contradicts itself.
void check_gemm_problem(const GemmProblem& problem);

// Runs on the current device. Matrices start at multiples of 16 bytes and do not overlap the
// output; bias and residual are nullptr where the problem has none. Throws CudaError.
void run_gemm(const GemmProblem& problem, const void* input, const void* weight, const float* bias,
              const void* residual, void* output, Stream stream);
// The same with a bf16 bias, for bf16 matrices.
void run_gemm(const GemmProblem& problem, const void* input, const void* weight,
              const BFloat16* bias, const void* residual, void* output, Stream stream);

}  // namespace mrcnn::cuda
