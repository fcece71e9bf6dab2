#include "tests/support/golden.h"

#include <cstring>
#include <optional>

#include "core/error.h"
#include "core/io/safetensors.h"

namespace mrcnn::test {
namespace {

std::optional<DType> tensor_dtype(FileDType dtype) {
  switch (dtype) {
    case FileDType::kF32:
      return DType::kF32;
    case FileDType::kF64:
      return DType::kF64;
    case FileDType::kBF16:
      return DType::kBF16;
    case FileDType::kI32:
      return DType::kI32;
    case FileDType::kI64:
      return DType::kI64;
    case FileDType::kU8:
      return DType::kU8;
    case FileDType::kBool:
      return DType::kBool;
    default:
      return std::nullopt;
  }
}

}  // namespace

GoldenFile::GoldenFile(const std::string& name)
    : path_(std::string(MRCNN_TEST_DATA "/golden/") + name), archive_(read_safetensors(path_)) {}

Tensor GoldenFile::golden(const std::string& name) const {
  const FileTensor* found = archive_.find(name);
  if (found == nullptr) throw FileError(ExitCode::kData, path_, name, "no such array");
  const std::optional<DType> dtype = tensor_dtype(found->dtype);
  if (!dtype) {
    throw FileError(ExitCode::kData, path_, name,
                    "no tensor type for " + std::string(file_dtype_name(found->dtype)));
  }
  Tensor tensor = Tensor::empty(Shape(std::span<const int64_t>(found->shape)), *dtype);
  std::memcpy(tensor.raw(), found->bytes.data(), found->bytes.size());
  return tensor;
}

Tensor channels_last(const Tensor& nchw) {
  const int64_t channels = nchw.size(1);
  const int64_t pixels = nchw.size(2) * nchw.size(3);
  Tensor nhwc = Tensor::empty({nchw.size(0), nchw.size(2), nchw.size(3), channels});
  const float* source = nchw.data<const float>();
  float* target = nhwc.data<float>();
  for (int64_t n = 0; n < nchw.size(0); ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        target[(n * pixels + p) * channels + c] = source[(n * channels + c) * pixels + p];
      }
    }
  }
  return nhwc;
}

}  // namespace mrcnn::test
