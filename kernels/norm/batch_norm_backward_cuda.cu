#include "kernels/elementwise/relu_math.h"
#include "kernels/norm/batch_norm.cuh"
#include "kernels/norm/batch_norm_backward.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 256;  // divides the threads of an SM on every GPU: full occupancy

// g of a pack: grad_output through the ReLU of output, if there is one.
template <int kWidth, typename T>
__device__ Pack<kWidth> load_gradient(const T* grad_output, const T* output, int64_t index) {
  Pack<kWidth> g = load_pack<kWidth>(grad_output + index);
  if (output != nullptr) {
    const Pack<kWidth> y = load_pack<kWidth>(output + index);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) g.values[k] = relu_gradient(g.values[k], y.values[k]);
  }
  return g;
}

template <int kWidth, typename T>
__global__ void batch_norm_backward_sums_kernel(
    BatchNormGeometry geometry, const T* __restrict__ grad_output, const T* __restrict__ output,
    const T* __restrict__ input, const float* __restrict__ statistics,
    T* __restrict__ grad_residual, float* __restrict__ partials) {
  __shared__ Pack<kWidth> shared[kTileRows * kTilePacks];
  const TilePlace<kWidth> place = tile_place<kWidth>(geometry.channels);
  const int64_t pixels = chunk_size(geometry, place.chunk);
  const int64_t first = place.chunk * geometry.chunk_pixels * geometry.channels + place.channel;
  Pack<kWidth> sum{}, dot{}, mean{};
  if (place.is_active) mean = load_channels<kWidth>(statistics + place.channel);
  for (int64_t pixel = place.row; place.is_active && pixel < pixels; pixel += kTileRows) {
    const int64_t index = first + pixel * geometry.channels;
    const Pack<kWidth> g = load_gradient<kWidth>(grad_output, output, index);
    if (grad_residual != nullptr) store_pack<kWidth>(grad_residual + index, g);
    if (!counts(geometry, place.chunk * geometry.chunk_pixels + pixel)) continue;
    const Pack<kWidth> x = load_pack<kWidth>(input + index);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      sum.values[k] += g.values[k];
      dot.values[k] += g.values[k] * (x.values[k] - mean.values[k]);
    }
  }
  sum = sum_rows<kWidth>(sum, shared);
  dot = sum_rows<kWidth>(dot, shared);
  if (place.row == 0 && place.is_active) {
    float* const target = partials + place.chunk * 2 * geometry.channels + place.channel;
    store_channels<kWidth>(target, sum);
    store_channels<kWidth>(target + geometry.channels, dot);
  }
}

__global__ void batch_norm_backward_channels_kernel(BatchNormGeometry geometry,
                                                    const float* __restrict__ partials,
                                                    const float* __restrict__ weight,
                                                    const float* __restrict__ statistics,
                                                    float* __restrict__ coefficients,
                                                    float* __restrict__ grad_weight,
                                                    float* __restrict__ grad_bias) {
  __shared__ double shared[kFinishRows * kFinishChannels];
  const double pixels = all_counted_pixels(geometry, shared);
  const int64_t channels = geometry.channels;
  const int64_t c = static_cast<int64_t>(blockIdx.x) * kFinishChannels + threadIdx.x;
  const auto row = static_cast<int64_t>(threadIdx.y);
  const int64_t chunks = c < channels ? geometry.chunks : 0;
  double sum = 0, dot = 0;
  for (int64_t chunk = row; chunk < chunks; chunk += kFinishRows) {
    sum += static_cast<double>(partials[2 * chunk * channels + c]);
    dot += static_cast<double>(partials[(2 * chunk + 1) * channels + c]);
  }
  sum = sum_chunks(sum, shared);
  dot = sum_chunks(dot, shared);
  if (row != 0 || c >= channels) return;
  const auto inverse_deviation = static_cast<double>(statistics[channels + c]);
  const BatchNormSlopes slopes =
      batch_norm_slopes(static_cast<double>(weight[c]), inverse_deviation, sum, dot, pixels);
  coefficients[c] = static_cast<float>(slopes.gain);
  coefficients[channels + c] = static_cast<float>(slopes.slope);
  coefficients[2 * channels + c] = static_cast<float>(slopes.offset);
  grad_weight[c] = static_cast<float>(dot * inverse_deviation);
  grad_bias[c] = static_cast<float>(sum);
}

// One thread per pixel and pack of channels. What is per channel comes from the cache.
template <int kWidth, typename T>
__global__ void batch_norm_backward_kernel(
    int64_t items, BatchNormGeometry geometry, const T* __restrict__ grad_output,
    const T* __restrict__ output, const T* __restrict__ input, const float* __restrict__ statistics,
    const float* __restrict__ coefficients, T* __restrict__ grad_input) {
  const int64_t channels = geometry.channels;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const Division place = divide(item, channels / kWidth);
    if (!counts(geometry, place.quotient)) {
      store_pack<kWidth>(grad_input + item * kWidth, Pack<kWidth>{});
      continue;
    }
    const int64_t channel = place.remainder * kWidth;
    const Pack<kWidth> mean = load_channels<kWidth>(statistics + channel);
    const Pack<kWidth> gain = load_channels<kWidth>(coefficients + channel);
    const Pack<kWidth> slope = load_channels<kWidth>(coefficients + channels + channel);
    const Pack<kWidth> offset = load_channels<kWidth>(coefficients + 2 * channels + channel);
    const Pack<kWidth> g = load_gradient<kWidth>(grad_output, output, item * kWidth);
    const Pack<kWidth> x = load_pack<kWidth>(input + item * kWidth);
    Pack<kWidth> result;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      result.values[k] = gain.values[k] * g.values[k] +
                         (slope.values[k] * (x.values[k] - mean.values[k]) + offset.values[k]);
    }
    store_pack<kWidth>(grad_input + item * kWidth, result);
  }
}

}  // namespace

template <typename T>
void batch_norm_backward_sums(const BatchNormGeometry& geometry, const T* grad_output,
                              const T* output, const T* input, const float* statistics,
                              T* grad_residual, float* partials, Stream stream) {
  with_pack_width<T>(geometry.channels, [&](auto width) {
    launch("batch_norm_backward_sums", batch_norm_backward_sums_kernel<width, T>,
           tile_launch<width>(geometry, stream), geometry, grad_output, output, input, statistics,
           grad_residual, partials);
  });
}

void batch_norm_backward_channels(const BatchNormGeometry& geometry, const float* partials,
                                  const float* weight, const float* statistics, float* coefficients,
                                  float* grad_weight, float* grad_bias, Stream stream) {
  launch("batch_norm_backward_channels", batch_norm_backward_channels_kernel,
         finish_launch(geometry, stream), geometry, partials, weight, statistics, coefficients,
         grad_weight, grad_bias);
}

template <typename T>
void batch_norm_backward(const BatchNormGeometry& geometry, const T* grad_output, const T* output,
                         const T* input, const float* statistics, const float* coefficients,
                         T* grad_input, Stream stream) {
  with_pack_width<T>(geometry.channels, [&](auto width) {
    const int64_t items = geometry.pixels * geometry.channels / width;
    launch("batch_norm_backward", batch_norm_backward_kernel<width, T>,
           {.grid = blocks_for(items, kBlock), .block = dim3(kBlock), .stream = stream}, items,
           geometry, grad_output, output, input, statistics, coefficients, grad_input);
  });
}

#define MRCNN_BATCH_NORM_BACKWARD_FOR(T)                                                         \
  template void batch_norm_backward_sums(const BatchNormGeometry&, const T*, const T*, const T*, \
                                         const float*, T*, float*, Stream);                      \
  template void batch_norm_backward(const BatchNormGeometry&, const T*, const T*, const T*,      \
                                    const float*, const float*, T*, Stream);
MRCNN_BATCH_NORM_BACKWARD_FOR(float)
MRCNN_BATCH_NORM_BACKWARD_FOR(BFloat16)
#undef MRCNN_BATCH_NORM_BACKWARD_FOR

}  // namespace mrcnn::cuda
