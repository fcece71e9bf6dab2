#include "kernels/linalg/gemm_plan.h"

#include <fmt/format.h>

#include "core/error.h"

namespace mrcnn::cuda {

std::string describe(const GemmProblem& p) {
  std::string text = fmt::format("product {}x{} * {}x{}", p.rows, p.in, p.out, p.in);
  if (p.input_transposed) text += ", input transposed";
  if (p.weight_transposed) text += ", weight transposed";
  if (p.bias) text += " + bias";
  if (p.residual) text += " + residual";
  if (p.relu) text += " + relu";
  return text + ", " + (p.tf32 ? "tf32" : std::string(dtype_name(p.dtype)));
}

void check_gemm_problem(const GemmProblem& p) {
  const char* fault = nullptr;
  if (p.dtype != DType::kF32 && p.dtype != DType::kBF16) {
    fault = "takes f32 or bf16";
  } else if (p.tf32 && p.dtype != DType::kF32) {
    fault = "multiplies f32 matrices only in TF32";
  } else if (p.rows < 0 || p.in < 1 || p.out < 1) {
    fault = "has a size below one";
  } else if ((p.input_transposed || p.weight_transposed) && (p.bias || p.residual || p.relu)) {
    fault = "with a transposed operand takes no bias, residual or ReLU";
  }
  if (fault != nullptr) throw ShapeError(fmt::format("[gemm] {}: {}", fault, describe(p)));
}

}  // namespace mrcnn::cuda
