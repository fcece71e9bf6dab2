// One warp a row: a row of 91 class scores is three numbers a lane, and a warp needs no barrier.
#include <cmath>
#include <limits>

#include "kernels/loss/softmax_cross_entropy.h"
#include "kernels/loss/weighted_rows.cuh"

namespace mrcnn::cuda {
namespace {

constexpr int kRowsPerBlock = kLossBlock / kWarp;

// The largest logit and the sum of exp(x - largest), the same bits in all lanes.
struct RowSum {
  float largest;
  float sum;
};

// For whole warps. fmaxf passes over NaN; the sum then is NaN.
template <typename T>
__device__ RowSum sum_row(const T* x, int64_t classes, int lane) {
  RowSum row{-std::numeric_limits<float>::infinity(), 0.0F};
  for (int64_t k = lane; k < classes; k += kWarp) row.largest = fmaxf(row.largest, to_float(x[k]));
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    row.largest = fmaxf(row.largest, __shfl_xor_sync(kAllLanes, row.largest, lanes));
  }
  for (int64_t k = lane; k < classes; k += kWarp) row.sum += std::exp(to_float(x[k]) - row.largest);
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    row.sum += __shfl_xor_sync(kAllLanes, row.sum, lanes);
  }
  return row;
}

__device__ __forceinline__ float row_weight(const float* weights, const int32_t* labels,
                                            int64_t row, int64_t classes) {
  return labels[row] >= 0 && labels[row] < classes ? weights[row] : 0.0F;
}

template <typename T>
__global__ void cross_entropy_kernel(int64_t rows, int64_t classes, const T* __restrict__ logits,
                                     const int32_t* __restrict__ labels,
                                     const float* __restrict__ weights,
                                     float* __restrict__ partials) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float sum = 0.0F;
  for (int64_t r = first_item() / kWarp; r < rows; r += item_stride() / kWarp) {
    const float weight = row_weight(weights, labels, r, classes);
    if (weight == 0) continue;  // the whole warp
    const T* const x = logits + r * classes;
    const RowSum row = sum_row(x, classes, lane);
    if (lane == 0) {
      sum += weight * (std::log(row.sum) + (row.largest - to_float(x[labels[r]])));
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

template <typename T>
__global__ void cross_entropy_backward_kernel(int64_t rows, int64_t classes,
                                              const float* __restrict__ grad_loss,
                                              const T* __restrict__ logits,
                                              const int32_t* __restrict__ labels,
                                              const float* __restrict__ weights,
                                              T* __restrict__ grad_logits) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = first_item() / kWarp; r < rows; r += item_stride() / kWarp) {
    const T* const x = logits + r * classes;
    T* const gradient = grad_logits + r * classes;
    const float weight = row_weight(weights, labels, r, classes);
    if (weight == 0) {
      for (int64_t k = lane; k < classes; k += kWarp) gradient[k] = from_float<T>(0.0F);
      continue;  // the whole warp
    }
    const float factor = *grad_loss * weight;
    const RowSum row = sum_row(x, classes, lane);
    for (int64_t k = lane; k < classes; k += kWarp) {
      const float p = std::exp(to_float(x[k]) - row.largest) / row.sum;
      gradient[k] = from_float<T>(factor * (p - (k == labels[r] ? 1.0F : 0.0F)));
    }
  }
}

template <typename T>
void sum_terms(int64_t rows, int64_t classes, const T* logits, const int32_t* labels,
               const float* weights, float* partials, float* loss, Stream stream) {
  const dim3 grid = blocks_for(rows, kRowsPerBlock, kLossPartials);
  if (rows > 0) {
    launch("softmax_cross_entropy", cross_entropy_kernel<T>,
           {.grid = grid, .block = dim3(kLossBlock), .stream = stream}, rows, classes, logits,
           labels, weights, partials);
  }
  sum_partials("softmax_cross_entropy", rows > 0 ? int64_t{grid.x} : 0, partials, loss, stream);
}

template <typename T>
void write_gradient(int64_t rows, int64_t classes, const float* grad_loss, const T* logits,
                    const int32_t* labels, const float* weights, T* grad_logits, Stream stream) {
  if (rows * classes == 0) return;
  launch("softmax_cross_entropy_backward", cross_entropy_backward_kernel<T>,
         {.grid = blocks_for(rows, kRowsPerBlock), .block = dim3(kLossBlock), .stream = stream},
         rows, classes, grad_loss, logits, labels, weights, grad_logits);
}

}  // namespace

void softmax_cross_entropy(int64_t rows, int64_t classes, const float* logits,
                           const int32_t* labels, const float* weights, float* partials,
                           float* loss, Stream stream) {
  sum_terms(rows, classes, logits, labels, weights, partials, loss, stream);
}

void softmax_cross_entropy(int64_t rows, int64_t classes, const BFloat16* logits,
                           const int32_t* labels, const float* weights, float* partials,
                           float* loss, Stream stream) {
  sum_terms(rows, classes, logits, labels, weights, partials, loss, stream);
}

void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const float* logits, const int32_t* labels,
                                    const float* weights, float* grad_logits, Stream stream) {
  write_gradient(rows, classes, grad_loss, logits, labels, weights, grad_logits, stream);
}

void softmax_cross_entropy_backward(int64_t rows, int64_t classes, const float* grad_loss,
                                    const BFloat16* logits, const int32_t* labels,
                                    const float* weights, BFloat16* grad_logits, Stream stream) {
  write_gradient(rows, classes, grad_loss, logits, labels, weights, grad_logits, stream);
}

}  // namespace mrcnn::cuda
