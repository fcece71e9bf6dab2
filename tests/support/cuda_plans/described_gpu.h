// GPUs described in tests/support/cuda_plans, for plans without a device.
#pragma once

#include <string>

#include "core/io/file.h"
#include "kernels/conv/cudnn/target_device.h"

namespace mrcnn::test {

// `name` is "h100" or "a100".
inline std::string gpu_description(const std::string& name) {
  const FileBytes file = read_file(
      std::string(MRCNN_TEST_DATA) + "/support/cuda_plans/" + name + ".json", ExitCode::kData);
  std::string text;
  for (const std::byte byte : file.bytes) text += static_cast<char>(byte);
  return text;
}

inline cudnn::TargetDevice described_gpu(const std::string& name) {
  return cudnn::TargetDevice::described(gpu_description(name));
}

}  // namespace mrcnn::test
