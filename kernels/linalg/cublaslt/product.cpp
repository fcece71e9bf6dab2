#include "kernels/linalg/cublaslt/product.h"

#include <array>
#include <bit>

#include "core/error.h"
#include "kernels/linalg/cublaslt/library.h"

namespace mrcnn::cublaslt {
namespace {

using cuda::GemmProblem;

constexpr uint64_t kMaxWorkspaceBytes = uint64_t{32} << 20;  // what NVIDIA recommends on Hopper
constexpr uint32_t kAlignment = 16;                          // bytes, of every matrix

cudaDataType_t data_type(DType dtype) { return dtype == DType::kBF16 ? CUDA_R_16BF : CUDA_R_32F; }

cublasLtEpilogue_t epilogue_of(const GemmProblem& p) {
  if (p.bias) return p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return p.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

template <typename T>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t name, const T& value) {
  check(library().set_operation(operation, name, &value, sizeof(value)),
        "cublasLtMatmulDescSetAttribute " + std::to_string(name));
}

void destroy_preference(cublasLtMatmulPreference_t preference) {
  library().destroy_preference(preference);
}
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Destroy<destroy_preference>>;

Preference make_preference() {
  cublasLtMatmulPreference_t raw = nullptr;
  check(library().create_preference(&raw), "cublasLtMatmulPreferenceCreate");
  Preference preference(raw);
  const auto set_value = [raw](cublasLtMatmulPreferenceAttributes_t name, const auto& value) {
    check(library().set_preference(raw, name, &value, sizeof(value)),
          "cublasLtMatmulPreferenceSetAttribute " + std::to_string(name));
  };
  set_value(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMaxWorkspaceBytes);
  for (const cublasLtMatmulPreferenceAttributes_t name :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    set_value(name, kAlignment);
  }
  return preference;
}

}  // namespace

void destroy_operation(cublasLtMatmulDesc_t operation) { library().destroy_operation(operation); }
void destroy_layout(cublasLtMatrixLayout_t layout) { library().destroy_layout(layout); }

// A row-major matrix is a column-major one transposed, which is all that the library knows; so it
// is asked for output^T [out, rows] = weight [out, in] * input^T [in, rows], and adds the bias,
// as it does, along the first axis. An operand that is stored transposed is for the library one
// that is not, and the other way round for the weight.
Product::Product(cublasLtHandle_t handle, const GemmProblem& problem)
    : problem_(problem),
      weight_(make_operand(problem.dtype, problem.in, problem.out, problem.weight_transposed)),
      input_(make_operand(problem.dtype, problem.in, problem.rows, problem.input_transposed)),
      output_(make_layout(problem.dtype, problem.out, problem.rows)) {
  cublasLtMatmulDesc_t operation = nullptr;
  check(
      library().create_operation(
          &operation, problem.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
      "cublasLtMatmulDescCreate");
  operation_.reset(operation);
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA,
      problem.weight_transposed ? CUBLAS_OP_N : CUBLAS_OP_T);
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, problem.input_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(problem));
  // The choice must hold for any bias, so it is made for one that is aligned no better than said.
  if (problem.bias) set_bias(std::bit_cast<const void*>(uintptr_t{kAlignment}));
  choose_algorithm(handle);
}

Product::Layout Product::make_layout(DType dtype, int64_t rows, int64_t columns) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(library().create_layout(&layout, data_type(dtype), static_cast<uint64_t>(rows),
                                static_cast<uint64_t>(columns), rows),
        "cublasLtMatrixLayoutCreate");
  return Layout(layout);
}

Product::Layout Product::make_operand(DType dtype, int64_t in, int64_t others, bool transposed) {
  return transposed ? make_layout(dtype, others, in) : make_layout(dtype, in, others);
}

void Product::set_bias(const void* bias) {
  set(operation_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
}

void Product::choose_algorithm(cublasLtHandle_t handle) {
  const Preference preference = make_preference();
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status =
      library().get_heuristic(handle, operation_.get(), weight_.get(), input_.get(), output_.get(),
                              output_.get(), preference.get(), 1, &result, &found);
  if (status != CUBLAS_STATUS_SUCCESS || found == 0 || result.state != CUBLAS_STATUS_SUCCESS) {
    throw CudaError("[cublaslt] no algorithm of cuBLASLt " +
                    std::to_string(library().get_version()) + " computes " +
                    cuda::describe(problem_) + ": " + library().get_status_string(status));
  }
  algorithm_ = result.algo;
  workspace_bytes_ = static_cast<int64_t>(result.workspaceSize);
}

void Product::run(cublasLtHandle_t handle, const void* input, const void* weight, const void* bias,
                  const void* residual, void* output, void* workspace, Stream stream) {
  if (problem_.bias) set_bias(bias);
  const float one = 1;
  const float beta = problem_.residual ? 1 : 0;
  check(library().matmul(handle, operation_.get(), &one, weight, weight_.get(), input, input_.get(),
                         &beta, problem_.residual ? residual : output, output_.get(), output,
                         output_.get(), &algorithm_, workspace,
                         static_cast<size_t>(workspace_bytes_), stream),
        "the " + cuda::describe(problem_));
}

}  // namespace mrcnn::cublaslt
