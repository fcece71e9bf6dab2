#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/add.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 32768;

MRCNN_TARGET_CLONES
void add_f32(int64_t count, const float* __restrict__ a, const float* __restrict__ b,
             float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = a[i] + b[i];
}

MRCNN_TARGET_CLONES
void add_relu_f32(int64_t count, const float* __restrict__ a, const float* __restrict__ b,
                  float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) {
    const float sum = a[i] + b[i];
    output[i] = sum < 0.0F ? 0.0F : sum;
  }
}

}  // namespace

void add(int64_t count, const AddParams& params, const float* a, const float* b, float* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    const auto sum = params.relu ? add_relu_f32 : add_f32;
    sum(end - begin, a + begin, b + begin, output + begin);
  });
}

void add(int64_t count, const AddParams& params, const double* a, const double* b, double* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double sum = a[i] + b[i];
      output[i] = params.relu && sum < 0.0 ? 0.0 : sum;
    }
  });
}

}  // namespace mrcnn::cpu
