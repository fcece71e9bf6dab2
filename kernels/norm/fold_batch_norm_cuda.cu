#include <cmath>

#include "core/cuda/device_math.cuh"
#include "core/cuda/launch.cuh"
#include "kernels/norm/fold_batch_norm.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM: full occupancy
// Weights of a thread block: enough to pay for the channel's scale, whose square root and division
// in f64 take as long as some hundred loads.
constexpr int64_t kPerBlock = 8 * kBlock;
constexpr int kChannelBlock = 64;  // a few hundred channels of slow f64: over several SMs

__device__ __forceinline__ double scale_of(const BatchNormPointers& bn, int64_t channel) {
  return static_cast<double>(bn.weight[channel]) /
         std::sqrt(static_cast<double>(bn.running_var[channel]) + bn.eps);
}

// One thread block, kPerBlock weights of one channel.
template <typename From, typename To>
__global__ void scale_channels_kernel(int64_t row_length, int64_t blocks_per_row,
                                      const From* __restrict__ weight, BatchNormPointers bn,
                                      To* __restrict__ scaled) {
  __shared__ double scale;
  const int64_t channel = static_cast<int64_t>(blockIdx.x) / blocks_per_row;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) % blocks_per_row * kPerBlock;
  if (threadIdx.x == 0) scale = scale_of(bn, channel);
  __syncthreads();
  const int64_t end = begin + kPerBlock < row_length ? begin + kPerBlock : row_length;
  for (int64_t i = begin + threadIdx.x; i < end; i += kBlock) {
    const int64_t element = channel * row_length + i;
    const auto product = static_cast<double>(to_float(weight[element])) * scale;
    scaled[element] = from_float<To>(static_cast<float>(product));
  }
}

__global__ void fold_bias_kernel(int64_t channels, const float* __restrict__ conv_bias,
                                 BatchNormPointers bn, float* __restrict__ bias) {
  for (int64_t c = first_item(); c < channels; c += item_stride()) {
    const double scale = scale_of(bn, c);
    const double shift =
        static_cast<double>(bn.bias[c]) - static_cast<double>(bn.running_mean[c]) * scale;
    bias[c] = static_cast<float>(
        conv_bias == nullptr ? shift : static_cast<double>(conv_bias[c]) * scale + shift);
  }
}

}  // namespace

template <typename From, typename To>
void scale_channels(int64_t channels, int64_t row_length, const From* weight,
                    const BatchNormPointers& bn, To* scaled, Stream stream) {
  if (channels * row_length == 0) return;
  const int64_t blocks_per_row = (row_length + kPerBlock - 1) / kPerBlock;
  launch(
      "scale_channels", scale_channels_kernel<From, To>,
      {.grid = blocks_for(channels * blocks_per_row, 1), .block = dim3(kBlock), .stream = stream},
      row_length, blocks_per_row, weight, bn, scaled);
}

template void scale_channels(int64_t, int64_t, const float*, const BatchNormPointers&, float*,
                             Stream);
template void scale_channels(int64_t, int64_t, const float*, const BatchNormPointers&, BFloat16*,
                             Stream);
template void scale_channels(int64_t, int64_t, const BFloat16*, const BatchNormPointers&, float*,
                             Stream);

void fold_bias(int64_t channels, const float* conv_bias, const BatchNormPointers& bn, float* bias,
               Stream stream) {
  if (channels == 0) return;
  launch(
      "fold_bias", fold_bias_kernel,
      {.grid = blocks_for(channels, kChannelBlock), .block = dim3(kChannelBlock), .stream = stream},
      channels, conv_bias, bn, bias);
}

}  // namespace mrcnn::cuda
