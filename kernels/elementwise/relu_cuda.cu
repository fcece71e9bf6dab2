#include "kernels/elementwise/map.cuh"
#include "kernels/elementwise/relu.h"
#include "kernels/elementwise/relu_math.h"

namespace mrcnn::cuda {
namespace {

struct Relu {
  __device__ float operator()(float x) const { return x < 0.0F ? 0.0F : x; }
};

struct ReluGradient {
  __device__ float operator()(float grad, float output) const {
    return relu_gradient(grad, output);
  }
};

}  // namespace

void relu(int64_t count, const float* input, float* output, Stream stream) {
  map("relu", count, Relu{}, stream, output, input);
}

void relu(int64_t count, const BFloat16* input, BFloat16* output, Stream stream) {
  map("relu", count, Relu{}, stream, output, input);
}

void relu_backward(int64_t count, const float* grad_output, const float* output, float* grad_input,
                   Stream stream) {
  map("relu_backward", count, ReluGradient{}, stream, grad_input, grad_output, output);
}

void relu_backward(int64_t count, const BFloat16* grad_output, const BFloat16* output,
                   BFloat16* grad_input, Stream stream) {
  map("relu_backward", count, ReluGradient{}, stream, grad_input, grad_output, output);
}

}  // namespace mrcnn::cuda
