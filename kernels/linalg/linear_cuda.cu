#include "kernels/elementwise/map.cuh"
#include "kernels/elementwise/relu_math.h"
#include "kernels/linalg/linear.h"

namespace mrcnn::cuda {
namespace {

struct Mask {
  __device__ float operator()(float grad, float output) const {
    return relu_gradient(grad, output);
  }
};

}  // namespace

void mask_gradient(int64_t count, const float* grad_output, const float* output, float* masked,
                   Stream stream) {
  map("mask_gradient", count, Mask{}, stream, masked, grad_output, output);
}

void mask_gradient(int64_t count, const BFloat16* grad_output, const BFloat16* output,
                   BFloat16* masked, Stream stream) {
  map("mask_gradient", count, Mask{}, stream, masked, grad_output, output);
}

}  // namespace mrcnn::cuda
