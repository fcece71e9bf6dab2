// The functions of cuDNN that are used, found at run time.
#pragma once

#include <cudnn_graph.h>

#include <string>

namespace mrcnn::cudnn {

struct Library {
  decltype(&cudnnGetVersion) get_version = nullptr;
  decltype(&cudnnGetErrorString) get_error_string = nullptr;
  decltype(&cudnnGetLastErrorString) get_last_error_string = nullptr;
  decltype(&cudnnCreate) create = nullptr;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor = nullptr;
  decltype(&cudnnBackendSetAttribute) set_attribute = nullptr;
  decltype(&cudnnBackendGetAttribute) get_attribute = nullptr;
  decltype(&cudnnBackendFinalize) finalize = nullptr;
  decltype(&cudnnBackendExecute) execute = nullptr;

  std::string version;  // "9.19.0"
};

// Opens cuDNN on the first call. Throws DeviceError if it is missing or older than 9.8.
const Library& library();

// "CUDNN_STATUS_BAD_PARAM: what the library said last"
std::string explain(cudnnStatus_t status);

// Throws CudaError unless the status is success. `what` is the call.
void check(cudnnStatus_t status, const char* what);

}  // namespace mrcnn::cudnn
