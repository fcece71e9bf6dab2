#include "kernels/conv/cudnn/library.h"

#include <array>

#include "core/cuda/vendor_library.h"
#include "core/error.h"

#ifndef MRCNN_CUDNN_LIBRARY_DIR
#define MRCNN_CUDNN_LIBRARY_DIR ""
#endif

namespace mrcnn::cudnn {
namespace {

// Plans are made from a description of the device since this version.
constexpr size_t kOldest = 90800;
static_assert(CUDNN_VERSION >= kOldest, "building needs the headers of cuDNN 9.8 or newer");

std::string version_text(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

Library open_library() {
  const cuda::VendorLibrary file({.title = "cuDNN 9",
                                  .file_names = {"libcudnn.so.9"},
                                  .directory_variable = "MRCNN_CUDNN_DIR",
                                  .build_directory = MRCNN_CUDNN_LIBRARY_DIR,
                                  .remedy = "install cuDNN 9 for this version of CUDA"});
  Library lib;
  file.find("cudnnGetVersion", lib.get_version);
  file.find("cudnnGetErrorString", lib.get_error_string);
  file.find("cudnnGetLastErrorString", lib.get_last_error_string);
  file.find("cudnnCreate", lib.create);
  file.find("cudnnSetStream", lib.set_stream);
  file.find("cudnnBackendCreateDescriptor", lib.create_descriptor);
  file.find("cudnnBackendDestroyDescriptor", lib.destroy_descriptor);
  file.find("cudnnBackendSetAttribute", lib.set_attribute);
  file.find("cudnnBackendGetAttribute", lib.get_attribute);
  file.find("cudnnBackendFinalize", lib.finalize);
  file.find("cudnnBackendExecute", lib.execute);
  const size_t version = lib.get_version();
  lib.version = version_text(version);
  if (version < kOldest || version / 10000 != CUDNN_MAJOR) {
    throw DeviceError("[cudnn] " + file.path() + " is version " + lib.version +
                      ", but this program needs " + version_text(kOldest) + " or a newer " +
                      std::to_string(CUDNN_MAJOR) + ".x");
  }
  return lib;
}

}  // namespace

const Library& library() {
  static const Library instance = open_library();
  return instance;
}

std::string explain(cudnnStatus_t status) {
  std::array<char, 1024> message{};
  library().get_last_error_string(message.data(), message.size());
  std::string text = library().get_error_string(status);
  if (message[0] != '\0') text += ": " + std::string(message.data());
  return text;
}

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) {
    throw CudaError("[cudnn] " + std::string(what) + " failed: " + explain(status));
  }
}

}  // namespace mrcnn::cudnn
