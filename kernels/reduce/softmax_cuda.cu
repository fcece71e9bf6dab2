#include <limits>

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/elementwise/exp_f32.h"
#include "kernels/reduce/softmax.h"

namespace mrcnn::cuda {
namespace {

// One warp a row: the class scores of a box are about three numbers a lane, and a warp needs no
// barrier. Few warps a block, so that 1000 rows spread over a whole GPU.
constexpr int kRowsPerBlock = 4;

__device__ float warp_max(float value) {
#pragma unroll
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, lanes));
  }
  return value;
}

// Every lane gets the same bits: at each step two lanes add the same two numbers.
__device__ float warp_sum(float value) {
#pragma unroll
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, lanes);
  }
  return value;
}

// fmaxf passes over NaN; the sum then brings it to the whole row. The exponentials are computed
// twice, which costs less than keeping them: the row is read again from the cache.
template <typename T>
__global__ void softmax_kernel(int64_t rows, int64_t columns, const T* __restrict__ input,
                               T* __restrict__ output) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t row = first_item() / kWarp; row < rows; row += item_stride() / kWarp) {
    const T* const x = input + row * columns;
    T* const y = output + row * columns;
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t i = lane; i < columns; i += kWarp) largest = fmaxf(largest, to_float(x[i]));
    largest = warp_max(largest);
    float sum = 0.0F;
    for (int64_t i = lane; i < columns; i += kWarp) sum += exp_f32(to_float(x[i]) - largest);
    sum = warp_sum(sum);
    for (int64_t i = lane; i < columns; i += kWarp) {
      y[i] = from_float<T>(exp_f32(to_float(x[i]) - largest) / sum);
    }
  }
}

template <typename T>
__global__ void softmax_backward_kernel(int64_t rows, int64_t columns,
                                        const T* __restrict__ grad_output,
                                        const T* __restrict__ output, T* __restrict__ grad_input) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t row = first_item() / kWarp; row < rows; row += item_stride() / kWarp) {
    const T* const g = grad_output + row * columns;
    const T* const y = output + row * columns;
    float sum = 0.0F;
    for (int64_t i = lane; i < columns; i += kWarp) sum += to_float(g[i]) * to_float(y[i]);
    sum = warp_sum(sum);
    for (int64_t i = lane; i < columns; i += kWarp) {
      grad_input[row * columns + i] = from_float<T>(to_float(y[i]) * (to_float(g[i]) - sum));
    }
  }
}

template <typename T>
void softmax_rows(int64_t rows, int64_t columns, const T* input, T* output, Stream stream) {
  if (rows == 0 || columns == 0) return;
  launch("softmax", softmax_kernel<T>,
         {.grid = blocks_for(rows, kRowsPerBlock),
          .block = dim3(kRowsPerBlock * kWarp),
          .stream = stream},
         rows, columns, input, output);
}

template <typename T>
void softmax_backward_rows(int64_t rows, int64_t columns, const T* grad_output, const T* output,
                           T* grad_input, Stream stream) {
  if (rows == 0 || columns == 0) return;
  launch("softmax_backward", softmax_backward_kernel<T>,
         {.grid = blocks_for(rows, kRowsPerBlock),
          .block = dim3(kRowsPerBlock * kWarp),
          .stream = stream},
         rows, columns, grad_output, output, grad_input);
}

}  // namespace

void softmax(int64_t rows, int64_t columns, const float* input, float* output, Stream stream) {
  softmax_rows(rows, columns, input, output, stream);
}

void softmax(int64_t rows, int64_t columns, const BFloat16* input, BFloat16* output,
             Stream stream) {
  softmax_rows(rows, columns, input, output, stream);
}

void softmax_backward(int64_t rows, int64_t columns, const float* grad_output, const float* output,
                      float* grad_input, Stream stream) {
  softmax_backward_rows(rows, columns, grad_output, output, grad_input, stream);
}

void softmax_backward(int64_t rows, int64_t columns, const BFloat16* grad_output,
                      const BFloat16* output, BFloat16* grad_input, Stream stream) {
  softmax_backward_rows(rows, columns, grad_output, output, grad_input, stream);
}

}  // namespace mrcnn::cuda
