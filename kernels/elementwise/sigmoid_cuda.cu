#include "kernels/elementwise/exp_f32.h"
#include "kernels/elementwise/map.cuh"
#include "kernels/elementwise/sigmoid.h"

namespace mrcnn::cuda {
namespace {

struct Sigmoid {
  __device__ float operator()(float x) const { return 1.0F / (1.0F + exp_f32(-x)); }
};

}  // namespace

void sigmoid(int64_t count, const float* input, float* output, Stream stream) {
  map("sigmoid", count, Sigmoid{}, stream, output, input);
}

void sigmoid(int64_t count, const BFloat16* input, BFloat16* output, Stream stream) {
  map("sigmoid", count, Sigmoid{}, stream, output, input);
}

}  // namespace mrcnn::cuda
