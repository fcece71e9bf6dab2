#include "kernels/elementwise/add.h"
#include "kernels/elementwise/map.cuh"

namespace mrcnn::cuda {
namespace {

struct Sum {
  bool relu;

  __device__ float operator()(float a, float b) const {
    const float sum = a + b;
    return relu && sum < 0.0F ? 0.0F : sum;
  }
};

}  // namespace

void add(int64_t count, const AddParams& params, const float* a, const float* b, float* output,
         Stream stream) {
  map("add", count, Sum{.relu = params.relu}, stream, output, a, b);
}

void add(int64_t count, const AddParams& params, const BFloat16* a, const BFloat16* b,
         BFloat16* output, Stream stream) {
  map("add", count, Sum{.relu = params.relu}, stream, output, a, b);
}

}  // namespace mrcnn::cuda
