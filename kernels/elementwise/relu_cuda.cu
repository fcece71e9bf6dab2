#include "kernels/elementwise/map.cuh"
#include "kernels/elementwise/relu.h"

namespace mrcnn::cuda {
namespace {

struct Relu {
  __device__ float operator()(float x) const { return x < 0.0F ? 0.0F : x; }
};

}  // namespace

void relu(int64_t count, const float* input, float* output, Stream stream) {
  map("relu", count, Relu{}, stream, output, input);
}

void relu(int64_t count, const BFloat16* input, BFloat16* output, Stream stream) {
  map("relu", count, Relu{}, stream, output, input);
}

}  // namespace mrcnn::cuda
