#include <cmath>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/exp_f32.h"
#include "kernels/elementwise/sigmoid.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 8192;

MRCNN_TARGET_CLONES
void sigmoid_f32(int64_t count, const float* __restrict__ input, float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = 1.0F / (1.0F + exp_f32(-input[i]));
}

MRCNN_TARGET_CLONES
void sigmoid_backward_f32(int64_t count, const float* __restrict__ grad_output,
                          const float* __restrict__ output, float* __restrict__ grad_input) {
  for (int64_t i = 0; i < count; ++i) {
    grad_input[i] = grad_output[i] * (output[i] * (1.0F - output[i]));
  }
}

}  // namespace

void sigmoid(int64_t count, const float* input, float* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    sigmoid_f32(end - begin, input + begin, output + begin);
  });
}

void sigmoid(int64_t count, const double* input, double* output) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) output[i] = 1.0 / (1.0 + std::exp(-input[i]));
  });
}

void sigmoid_backward(int64_t count, const float* grad_output, const float* output,
                      float* grad_input) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    sigmoid_backward_f32(end - begin, grad_output + begin, output + begin, grad_input + begin);
  });
}

void sigmoid_backward(int64_t count, const double* grad_output, const double* output,
                      double* grad_input) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      grad_input[i] = grad_output[i] * (output[i] * (1.0 - output[i]));
    }
  });
}

}  // namespace mrcnn::cpu
