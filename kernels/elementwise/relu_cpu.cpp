#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/elementwise/relu.h"
#include "kernels/elementwise/relu_math.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 32768;

MRCNN_TARGET_CLONES
void relu_f32(int64_t count, const float* __restrict__ input, float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) output[i] = input[i] < 0.0F ? 0.0F : input[i];
}

MRCNN_TARGET_CLONES
void relu_backward_f32(int64_t count, const float* __restrict__ grad_output,
                       const float* __restrict__ output, float* __restrict__ grad_input) {
  for (int64_t i = 0; i < count; ++i) grad_input[i] = relu_gradient(grad_output[i], output[i]);
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

void relu_backward(int64_t count, const float* grad_output, const float* output,
                   float* grad_input) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    relu_backward_f32(end - begin, grad_output + begin, output + begin, grad_input + begin);
  });
}

void relu_backward(int64_t count, const double* grad_output, const double* output,
                   double* grad_input) {
  parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) grad_input[i] = relu_gradient(grad_output[i], output[i]);
  });
}

}  // namespace mrcnn::cpu
