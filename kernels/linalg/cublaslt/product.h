// One matrix product as cuBLASLt describes it, and the algorithm chosen for it.
#pragma once

#include <cublasLt.h>

#include <memory>
#include <vector>

#include "kernels/linalg/gemm_plan.h"

namespace mrcnn::cublaslt {

template <auto kDestroy>
struct Destroy {
  template <typename T>
  void operator()(T* handle) const {
    kDestroy(handle);
  }
};
void destroy_operation(cublasLtMatmulDesc_t operation);
void destroy_layout(cublasLtMatrixLayout_t layout);

class Product {
 public:
  // Throws CudaError if the library has no algorithm.
  Product(cublasLtHandle_t handle, const cuda::GemmProblem& problem);

  int64_t workspace_bytes() const { return workspace_bytes_; }
  void run(cublasLtHandle_t handle, const void* input, const void* weight, const void* bias,
           const void* residual, void* output, void* workspace, Stream stream);

 private:
  using Operation = std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy<destroy_operation>>;
  using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy<destroy_layout>>;

  static Layout make_layout(DType dtype, int64_t rows, int64_t columns);
  static Layout make_operand(DType dtype, int64_t in, int64_t others, bool transposed);
  void set_bias(const void* bias);
  void choose_algorithm(cublasLtHandle_t handle);

  cuda::GemmProblem problem_;
  Operation operation_;
  Layout weight_, input_, output_;
  cublasLtMatmulAlgo_t algorithm_{};
  int64_t workspace_bytes_ = 0;
};

}  // namespace mrcnn::cublaslt
