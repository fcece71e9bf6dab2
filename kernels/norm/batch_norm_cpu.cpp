#include "kernels/norm/batch_norm.h"

#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/norm/batch_norm_cpu.h"

namespace mrcnn::cpu {
namespace {

// The sums of a few hundred channels stay in L1: the loop waits for the memory of the map.
// Adds input - centre and its square to the sums.
template <typename T>
inline __attribute__((always_inline)) void add_moments_loop(int64_t pixels, int64_t channels,
                                                            const T* __restrict__ input,
                                                            const T* __restrict__ centre,
                                                            T* __restrict__ first,
                                                            T* __restrict__ second) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const T* x = input + pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const T distance = x[c] - centre[c];
      first[c] += distance;
      second[c] += distance * distance;
    }
  }
}

MRCNN_TARGET_CLONES
void add_moments(int64_t pixels, int64_t channels, const float* input, const float* centre,
                 float* first, float* second) {
  add_moments_loop(pixels, channels, input, centre, first, second);
}
void add_moments(int64_t pixels, int64_t channels, const double* input, const double* centre,
                 double* first, double* second) {
  add_moments_loop(pixels, channels, input, centre, first, second);
}

// The mean of a chunk's first pixels. Distances from it are of the size of the chunk's deviation,
// even where the mean is many times that, so their squares lose nothing by cancellation.
template <typename T>
std::vector<T> first_mean(int64_t pixels, int64_t channels, const T* input) {
  std::vector<T> mean(static_cast<size_t>(channels), T(0));
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (size_t c = 0; c < mean.size(); ++c) mean[c] += *input++;
  }
  for (T& value : mean) value /= static_cast<T>(pixels);
  return mean;
}

}  // namespace

template <typename T>
void batch_norm_moments(const BatchNormGeometry& geometry, const T* input, double* partials) {
  const int64_t channels = geometry.channels;
  parallel_for(0, geometry.chunks, 1, [&](int64_t chunk, int64_t) {
    const int64_t begin = chunk * geometry.chunk_pixels;
    const PixelRun first = next_run(geometry, begin, begin + chunk_size(geometry, chunk));
    double* means = partials + chunk * 2 * channels;
    double* squares = means + channels;
    if (first.begin == first.end) {
      std::fill_n(means, 2 * channels, 0.0);
      return;
    }
    const std::vector<T> centre = first_mean(std::min(kBlockPixels, first.end - first.begin),
                                             channels, input + first.begin * channels);
    sum_chunk<T>(geometry, chunk, means, [&](int64_t pixel, int64_t count, T* sums) {
      add_moments(count, channels, input + pixel * channels, centre.data(), sums, sums + channels);
    });
    const auto count = static_cast<double>(counted_pixels(geometry, chunk));
    for (int64_t c = 0; c < channels; ++c) {
      const double distance = means[c] / count;
      // Rounding must not make it negative; NaN is kept.
      const double square = squares[c] - means[c] * distance;
      squares[c] = square < 0.0 ? 0.0 : square;
      means[c] = static_cast<double>(centre[static_cast<size_t>(c)]) + distance;
    }
  });
}

template <typename T>
void batch_norm_statistics(const BatchNormGeometry& geometry, const BatchNormParams& params,
                           const double* partials, const T* weight, const T* bias, T* running_mean,
                           T* running_var, T* statistics, T* affine) {
  const int64_t channels = geometry.channels;
  const double pixels = all_counted_pixels(geometry);
  for (int64_t c = 0; c < channels; ++c) {
    double mean = 0, squares = 0;
    for (int64_t chunk = 0; chunk < geometry.chunks; ++chunk) {
      mean +=
          static_cast<double>(counted_pixels(geometry, chunk)) * partials[2 * chunk * channels + c];
    }
    mean = mean_of(mean, pixels);
    for (int64_t chunk = 0; chunk < geometry.chunks; ++chunk) {
      const double distance = partials[2 * chunk * channels + c] - mean;
      squares += partials[(2 * chunk + 1) * channels + c] +
                 static_cast<double>(counted_pixels(geometry, chunk)) * distance * distance;
    }
    const double inverse_deviation = 1.0 / std::sqrt(mean_of(squares, pixels) + params.eps);
    const double scale = static_cast<double>(weight[c]) * inverse_deviation;
    statistics[c] = static_cast<T>(mean);
    statistics[channels + c] = static_cast<T>(inverse_deviation);
    affine[c] = static_cast<T>(scale);
    affine[channels + c] = static_cast<T>(static_cast<double>(bias[c]) - mean * scale);
    if (pixels == 0) continue;
    running_mean[c] = static_cast<T>(
        running_average(static_cast<double>(running_mean[c]), mean, params.momentum));
    running_var[c] = static_cast<T>(running_average(static_cast<double>(running_var[c]),
                                                    squares / (pixels - 1.0), params.momentum));
  }
}

template void batch_norm_moments(const BatchNormGeometry&, const float*, double*);
template void batch_norm_moments(const BatchNormGeometry&, const double*, double*);
template void batch_norm_statistics(const BatchNormGeometry&, const BatchNormParams&, const double*,
                                    const float*, const float*, float*, float*, float*, float*);
template void batch_norm_statistics(const BatchNormGeometry&, const BatchNormParams&, const double*,
                                    const double*, const double*, double*, double*, double*,
                                    double*);

}  // namespace mrcnn::cpu
