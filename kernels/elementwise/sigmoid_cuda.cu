#include "kernels/elementwise/exp_f32.h"
#include "kernels/elementwise/map.cuh"
#include "kernels/elementwise/sigmoid.h"

namespace mrcnn::cuda {
namespace {

struct Sigmoid {
  __device__ float operator()(float x) const { return 1.0F / (1.0F + exp_f32(-x)); }
};

struct SigmoidGradient {
  __device__ float operator()(float grad, float output) const {
    return grad * (output * (1.0F - output));
  }
};

}  // namespace

void sigmoid(int64_t count, const float* input, float* output, Stream stream) {
  map("sigmoid", count, Sigmoid{}, stream, output, input);
}

void sigmoid(int64_t count, const BFloat16* input, BFloat16* output, Stream stream) {
  map("sigmoid", count, Sigmoid{}, stream, output, input);
}

void sigmoid_backward(int64_t count, const float* grad_output, const float* output,
                      float* grad_input, Stream stream) {
  map("sigmoid_backward", count, SigmoidGradient{}, stream, grad_input, grad_output, output);
}

void sigmoid_backward(int64_t count, const BFloat16* grad_output, const BFloat16* output,
                      BFloat16* grad_input, Stream stream) {
  map("sigmoid_backward", count, SigmoidGradient{}, stream, grad_input, grad_output, output);
}

}  // namespace mrcnn::cuda
