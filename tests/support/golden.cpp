#include "tests/support/golden.h"

#include "core/error.h"
#include "core/io/safetensors.h"

namespace mrcnn::test {
GoldenFile::GoldenFile(const std::string& name)
    : path_(std::string(MRCNN_TEST_DATA "/golden/") + name), archive_(read_safetensors(path_)) {}

Tensor GoldenFile::golden(const std::string& name) const {
  const FileTensor* found = archive_.find(name);
  if (found == nullptr) throw FileError(ExitCode::kData, path_, name, "no such array");
  return tensor_of(*found);
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
