#include "kernels/linalg/cublaslt/library.h"

#include <cuda_runtime_api.h>

#include "core/cuda/vendor_library.h"
#include "core/error.h"

#ifndef MRCNN_CUBLASLT_LIBRARY_DIR
#define MRCNN_CUBLASLT_LIBRARY_DIR ""
#endif

namespace mrcnn::cublaslt {
namespace {

Library open_library() {
  // The library's major version is that of the toolkit it belongs to.
  constexpr int kToolkit = CUDART_VERSION / 1000;
  const cuda::VendorLibrary file({.title = "cuBLASLt " + std::to_string(kToolkit),
                                  .file_names = {"libcublasLt.so." + std::to_string(kToolkit)},
                                  .directory_variable = "MRCNN_CUBLASLT_DIR",
                                  .build_directory = MRCNN_CUBLASLT_LIBRARY_DIR,
                                  .remedy = "install cuBLAS of CUDA " + std::to_string(kToolkit)});
  Library lib;
  file.find("cublasLtGetStatusString", lib.get_status_string);
  file.find("cublasLtGetVersion", lib.get_version);
  file.find("cublasLtCreate", lib.create);
  file.find("cublasLtMatmul", lib.matmul);
  file.find("cublasLtMatmulAlgoGetHeuristic", lib.get_heuristic);
  file.find("cublasLtMatmulDescCreate", lib.create_operation);
  file.find("cublasLtMatmulDescDestroy", lib.destroy_operation);
  file.find("cublasLtMatmulDescSetAttribute", lib.set_operation);
  file.find("cublasLtMatrixLayoutCreate", lib.create_layout);
  file.find("cublasLtMatrixLayoutDestroy", lib.destroy_layout);
  file.find("cublasLtMatmulPreferenceCreate", lib.create_preference);
  file.find("cublasLtMatmulPreferenceDestroy", lib.destroy_preference);
  file.find("cublasLtMatmulPreferenceSetAttribute", lib.set_preference);
  return lib;
}

}  // namespace

const Library& library() {
  static const Library instance = open_library();
  return instance;
}

void check(cublasStatus_t status, const std::string& what) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw CudaError("[cublaslt] " + what + " failed: " + library().get_status_string(status));
  }
}

}  // namespace mrcnn::cublaslt
