// Which GPUs this build and this machine can use.
#pragma once

#include <string>
#include <vector>

namespace mrcnn {

struct CudaDevices {
  std::vector<std::string> names;  // "NVIDIA H100 80GB HBM3, 79.1 GiB"; index = device index
  std::string problem;             // why there are none, in words; empty otherwise
  bool emulated = false;           // the tests' stand-in: never chosen without being asked for
};

// Asked once per process.
const CudaDevices& cuda_devices();

}  // namespace mrcnn
