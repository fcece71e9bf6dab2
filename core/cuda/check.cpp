#include "core/cuda/check.h"

#include <string>
#include <string_view>

#include "core/error.h"

namespace mrcnn::cuda {

void check(cudaError_t status, const char* what, const char* file, int line) {
  if (status == cudaSuccess) return;
  // A failed launch leaves an error behind that the next check would report again.
  static_cast<void>(cudaGetLastError());
  std::string_view place(file);
  for (const std::string_view room : {"/core/", "/kernels/", "/models/", "/tests/"}) {
    const size_t at = place.rfind(room);
    if (at != std::string_view::npos) place.remove_prefix(at + 1);
  }
  const std::string message = std::string("[cuda] ") + what + " failed at " + std::string(place) +
                              ":" + std::to_string(line) + ": " + cudaGetErrorString(status) +
                              " (" + cudaGetErrorName(status) + ")";
  if (status == cudaErrorMemoryAllocation) throw MemoryError(message);
  throw CudaError(message);
}

}  // namespace mrcnn::cuda
