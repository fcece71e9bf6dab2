#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/relu.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 32768;

MRCNN_TARGET_CLONES
void relu_f32(int64_t count, const float* __restrict__ input, float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = input[i] < 0.0F ? 0.0F : input[i];
}

}  // namespace

void relu(int64_t count, const float* input, float* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    relu_f32(end - begin, input + begin, output + begin);
  });
}

void relu(int64_t count, const double* input, double* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) output[i] = input[i] < 0.0 ? 0.0 : input[i];
  });
}

}  // namespace mrcnn::cpu
