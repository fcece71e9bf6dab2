// Which GPUs this build and this machine can use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mrcnn {

struct CudaProperties {
  std::string name;
  int major = 0;  // of the compute capability
  int minor = 0;
  int64_t memory_bytes = 0;
  int sm_count = 0;  // streaming multiprocessors
};

struct CudaDevices {
  std::vector<std::string> names;  // "NVIDIA H100 80GB HBM3, 79.1 GiB"; index = device index
  std::vector<CudaProperties> properties;  // the same devices
  std::string problem;                     // why there are none, in words; empty otherwise
  bool emulated = false;  // the tests' stand-in: never chosen without being asked for
};

// Asked once per process.
const CudaDevices& cuda_devices();

}  // namespace mrcnn
