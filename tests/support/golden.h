// Golden arrays from the safetensors files in tests/golden.
#pragma once

#include <string>

#include "core/io/tensor_file.h"
#include "core/tensor.h"

namespace mrcnn::test {

class GoldenFile {
 public:
  // `name` is relative to tests/golden, e.g. "torchvision_ops.safetensors".
  explicit GoldenFile(const std::string& name);

  bool has(const std::string& name) const { return archive_.find(name) != nullptr; }
  // A copy of the array; missing names throw FileError, types without a DType DTypeError.
  Tensor golden(const std::string& name) const;

 private:
  std::string path_;
  TensorArchive archive_;
};

// [N, C, H, W], as the references store maps, to [N, H, W, C]; f32.
Tensor channels_last(const Tensor& nchw);

}  // namespace mrcnn::test
