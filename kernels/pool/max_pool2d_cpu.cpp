#include <algorithm>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/pool/max_pool2d.h"

namespace mrcnn::cpu {
namespace {

// One row of outputs. The running maximum lives in the output itself, which stays in L1; the
// channel loop vectorises. `image` is [H, W, C], `output_row` [OW, C].
template <typename T>
inline __attribute__((always_inline)) void pool_row(const MaxPool2dGeometry& geometry,
                                                    int64_t output_y, const T* __restrict__ image,
                                                    T* __restrict__ output_row) {
  const auto& [kernel, stride, padding] = geometry.params;
  const int64_t channels = geometry.channels;
  const int64_t top = output_y * stride[0] - padding[0];
  const int64_t y_begin = std::max<int64_t>(top, 0);
  const int64_t y_end = std::min(top + kernel[0], geometry.height);
  for (int64_t output_x = 0; output_x < geometry.output_width; ++output_x) {
    const int64_t left = output_x * stride[1] - padding[1];
    const int64_t x_begin = std::max<int64_t>(left, 0);
    const int64_t x_end = std::min(left + kernel[1], geometry.width);
    T* best = output_row + output_x * channels;
    std::copy_n(image + (y_begin * geometry.width + x_begin) * channels, channels, best);
    for (int64_t y = y_begin; y < y_end; ++y) {
      for (int64_t x = x_begin; x < x_end; ++x) {
        const T* pixel = image + (y * geometry.width + x) * channels;
        for (int64_t c = 0; c < channels; ++c) {
          const T value = pixel[c];
          best[c] = ((value > best[c]) | (value != value)) ? value : best[c];  // NaN wins and stays
        }
      }
    }
  }
}

MRCNN_TARGET_CLONES
void pool_row_f32(const MaxPool2dGeometry& geometry, int64_t output_y, const float* image,
                  float* output_row) {
  pool_row(geometry, output_y, image, output_row);
}

template <typename T, typename Row>
void for_each_row(const MaxPool2dGeometry& geometry, const T* input, T* output, const Row& row) {
  const int64_t image_numel = geometry.height * geometry.width * geometry.channels;
  const int64_t row_numel = geometry.output_width * geometry.channels;
  const int64_t rows = geometry.images * geometry.output_height;
  // Several rows a chunk: overlapping windows share input rows in the cache.
  const int64_t grain = std::max<int64_t>(4, 16384 / std::max<int64_t>(1, row_numel));
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      row(geometry, index % geometry.output_height,
          input + index / geometry.output_height * image_numel, output + index * row_numel);
    }
  });
}

}  // namespace

void max_pool2d(const MaxPool2dGeometry& geometry, const float* input, float* output) {
  for_each_row(geometry, input, output, pool_row_f32);
}

void max_pool2d(const MaxPool2dGeometry& geometry, const double* input, double* output) {
  for_each_row(geometry, input, output, pool_row<double>);
}

}  // namespace mrcnn::cpu
