// The functions of cuBLASLt that are used, found at run time.
#pragma once

#include <cublasLt.h>

#include <string>

namespace mrcnn::cublaslt {

struct Library {
  decltype(&cublasLtGetStatusString) get_status_string = nullptr;
  decltype(&cublasLtGetVersion) get_version = nullptr;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic = nullptr;
  decltype(&cublasLtMatmulDescCreate) create_operation = nullptr;
  decltype(&cublasLtMatmulDescDestroy) destroy_operation = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_operation = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) create_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;
};

// Opens cuBLASLt on the first call. Throws DeviceError if it is missing.
const Library& library();

// Throws CudaError unless the status is success. `what` is the call.
void check(cublasStatus_t status, const std::string& what);

}  // namespace mrcnn::cublaslt
