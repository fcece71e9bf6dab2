#include <cmath>

#include "kernels/norm/batch_norm.cuh"
#include "kernels/norm/batch_norm.h"

namespace mrcnn::cuda {
namespace {

// Each thread keeps a running mean and sum of squared distances (Welford 1962) of its pixels, so
// that nothing cancels; then the rows of the block are joined (Chan et al. 1979).
template <int kWidth, typename T>
__global__ void batch_norm_moments_kernel(BatchNormGeometry geometry, const T* __restrict__ input,
                                          float* __restrict__ partials) {
  __shared__ Pack<kWidth> shared[kTileRows * kTilePacks];
  const TilePlace<kWidth> place = tile_place<kWidth>(geometry.channels);
  const int64_t pixels = chunk_size(geometry, place.chunk);
  const T* const chunk = input + place.chunk * geometry.chunk_pixels * geometry.channels;
  Pack<kWidth> mean{}, squares{};
  float count = 0.0F;
  for (int64_t pixel = place.row; place.is_active && pixel < pixels; pixel += kTileRows) {
    if (!counts(geometry, place.chunk * geometry.chunk_pixels + pixel)) continue;
    const Pack<kWidth> x = load_pack<kWidth>(chunk + pixel * geometry.channels + place.channel);
    count += 1.0F;
    const float weight = 1.0F / count;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      const float distance = x.values[k] - mean.values[k];
      mean.values[k] += distance * weight;
      squares.values[k] += distance * (x.values[k] - mean.values[k]);
    }
  }
  const auto counted = static_cast<float>(counted_pixels(geometry, place.chunk));
  Pack<kWidth> weighted;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) weighted.values[k] = count * mean.values[k];
  Pack<kWidth> total = sum_rows<kWidth>(weighted, shared);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    if (counted > 0.0F) total.values[k] /= counted;
    const float distance = mean.values[k] - total.values[k];
    if (count > 0.0F) squares.values[k] += count * distance * distance;
  }
  const Pack<kWidth> total_squares = sum_rows<kWidth>(squares, shared);
  if (place.row == 0 && place.is_active) {
    float* const target = partials + place.chunk * 2 * geometry.channels + place.channel;
    store_channels<kWidth>(target, total);
    store_channels<kWidth>(target + geometry.channels, total_squares);
  }
}

__global__ void batch_norm_statistics_kernel(
    BatchNormGeometry geometry, BatchNormParams params, const float* __restrict__ partials,
    const float* __restrict__ weight, const float* __restrict__ bias,
    float* __restrict__ running_mean, float* __restrict__ running_var,
    float* __restrict__ statistics, float* __restrict__ affine) {
  __shared__ double shared[kFinishRows * kFinishChannels];
  const int64_t channels = geometry.channels;
  const double pixels = all_counted_pixels(geometry, shared);
  const int64_t c = static_cast<int64_t>(blockIdx.x) * kFinishChannels + threadIdx.x;
  const auto row = static_cast<int64_t>(threadIdx.y);
  const int64_t chunks = c < channels ? geometry.chunks : 0;
  double sum = 0;
  for (int64_t chunk = row; chunk < chunks; chunk += kFinishRows) {
    sum += static_cast<double>(counted_pixels(geometry, chunk)) *
           static_cast<double>(partials[2 * chunk * channels + c]);
  }
  const double mean = mean_of(sum_chunks(sum, shared), pixels);
  double squares = 0;
  for (int64_t chunk = row; chunk < chunks; chunk += kFinishRows) {
    const double distance = static_cast<double>(partials[2 * chunk * channels + c]) - mean;
    squares += static_cast<double>(partials[(2 * chunk + 1) * channels + c]) +
               static_cast<double>(counted_pixels(geometry, chunk)) * distance * distance;
  }
  squares = sum_chunks(squares, shared);
  if (row != 0 || c >= channels) return;
  const double inverse_deviation = 1.0 / std::sqrt(mean_of(squares, pixels) + params.eps);
  const double scale = static_cast<double>(weight[c]) * inverse_deviation;
  statistics[c] = static_cast<float>(mean);
  statistics[channels + c] = static_cast<float>(inverse_deviation);
  affine[c] = static_cast<float>(scale);
  affine[channels + c] = static_cast<float>(static_cast<double>(bias[c]) - mean * scale);
  if (pixels == 0) return;
  running_mean[c] = static_cast<float>(
      running_average(static_cast<double>(running_mean[c]), mean, params.momentum));
  running_var[c] = static_cast<float>(running_average(static_cast<double>(running_var[c]),
                                                      squares / (pixels - 1.0), params.momentum));
}

}  // namespace

template <typename T>
void batch_norm_moments(const BatchNormGeometry& geometry, const T* input, float* partials,
                        Stream stream) {
  with_pack_width<T>(geometry.channels, [&](auto width) {
    launch("batch_norm_moments", batch_norm_moments_kernel<width, T>,
           tile_launch<width>(geometry, stream), geometry, input, partials);
  });
}

void batch_norm_statistics(const BatchNormGeometry& geometry, const BatchNormParams& params,
                           const float* partials, const float* weight, const float* bias,
                           float* running_mean, float* running_var, float* statistics,
                           float* affine, Stream stream) {
  launch("batch_norm_statistics", batch_norm_statistics_kernel, finish_launch(geometry, stream),
         geometry, params, partials, weight, bias, running_mean, running_var, statistics, affine);
}

template void batch_norm_moments(const BatchNormGeometry&, const float*, float*, Stream);
template void batch_norm_moments(const BatchNormGeometry&, const BFloat16*, float*, Stream);

}  // namespace mrcnn::cuda
