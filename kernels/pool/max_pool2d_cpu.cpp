#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/pool/max_pool2d.h"
#include "kernels/pool/max_pool2d_math.h"

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

// One row of taps, found as pool_row finds the maxima. `best` [C] is room for the running ones.
template <typename T>
inline __attribute__((always_inline)) void tap_row(const MaxPool2dGeometry& geometry,
                                                   int64_t output_y, const T* __restrict__ image,
                                                   T* __restrict__ best,
                                                   int32_t* __restrict__ taps_row) {
  const auto& [kernel, stride, padding] = geometry.params;
  const int64_t channels = geometry.channels;
  const int64_t top = output_y * stride[0] - padding[0];
  const int64_t y_begin = std::max<int64_t>(top, 0);
  const int64_t y_end = std::min(top + kernel[0], geometry.height);
  for (int64_t output_x = 0; output_x < geometry.output_width; ++output_x) {
    const int64_t left = output_x * stride[1] - padding[1];
    const int64_t x_begin = std::max<int64_t>(left, 0);
    const int64_t x_end = std::min(left + kernel[1], geometry.width);
    int32_t* taps = taps_row + output_x * channels;
    std::copy_n(image + (y_begin * geometry.width + x_begin) * channels, channels, best);
    std::fill_n(taps, channels, static_cast<int32_t>((y_begin - top) * kernel[1] + x_begin - left));
    for (int64_t y = y_begin; y < y_end; ++y) {
      for (int64_t x = x_begin; x < x_end; ++x) {
        const T* pixel = image + (y * geometry.width + x) * channels;
        const auto tap = static_cast<int32_t>((y - top) * kernel[1] + x - left);
        for (int64_t c = 0; c < channels; ++c) {
          const T value = pixel[c];
          const bool is_larger = (value > best[c]) | (value != value);
          best[c] = is_larger ? value : best[c];
          taps[c] = is_larger ? tap : taps[c];
        }
      }
    }
  }
}

MRCNN_TARGET_CLONES
void tap_row_f32(const MaxPool2dGeometry& geometry, int64_t output_y, const float* image,
                 float* best, int32_t* taps_row) {
  tap_row(geometry, output_y, image, best, taps_row);
}

// What one row of outputs gives to one row of the input, which is its window's row ky. taps_row,
// grad_output_row [OW, C], grad_input_row [W, C].
template <typename T>
inline __attribute__((always_inline)) void add_row_gradient(const MaxPool2dGeometry& geometry,
                                                            int64_t ky,
                                                            const int32_t* __restrict__ taps_row,
                                                            const T* __restrict__ grad_output_row,
                                                            T* __restrict__ grad_input_row) {
  const auto& [kernel, stride, padding] = geometry.params;
  const int64_t channels = geometry.channels;
  for (int64_t output_x = 0; output_x < geometry.output_width; ++output_x) {
    const int64_t left = output_x * stride[1] - padding[1];
    const int64_t x_begin = std::max<int64_t>(left, 0);
    const int64_t x_end = std::min(left + kernel[1], geometry.width);
    const int32_t* taps = taps_row + output_x * channels;
    const T* grad_output = grad_output_row + output_x * channels;
    for (int64_t x = x_begin; x < x_end; ++x) {
      const auto tap = static_cast<int32_t>(ky * kernel[1] + x - left);
      T* grad_input = grad_input_row + x * channels;
      for (int64_t c = 0; c < channels; ++c) {
        grad_input[c] += taps[c] == tap ? grad_output[c] : T(0);
      }
    }
  }
}

MRCNN_TARGET_CLONES
void add_row_gradient_f32(const MaxPool2dGeometry& geometry, int64_t ky, const int32_t* taps_row,
                          const float* grad_output_row, float* grad_input_row) {
  add_row_gradient(geometry, ky, taps_row, grad_output_row, grad_input_row);
}

// Several rows a chunk: overlapping windows share input rows in the cache.
int64_t row_grain(int64_t row_numel) {
  return std::max<int64_t>(4, 16384 / std::max<int64_t>(1, row_numel));
}

template <typename T, typename Row>
void for_each_row(const MaxPool2dGeometry& geometry, const T* input, T* output, const Row& row) {
  const int64_t image_numel = geometry.height * geometry.width * geometry.channels;
  const int64_t row_numel = geometry.output_width * geometry.channels;
  const int64_t rows = geometry.images * geometry.output_height;
  parallel_for(0, rows, row_grain(row_numel), [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      row(geometry, index % geometry.output_height,
          input + index / geometry.output_height * image_numel, output + index * row_numel);
    }
  });
}

template <typename T, typename Row>
void for_each_tap_row(const MaxPool2dGeometry& geometry, const T* input, int32_t* taps,
                      const Row& row) {
  const int64_t image_numel = geometry.height * geometry.width * geometry.channels;
  const int64_t row_numel = geometry.output_width * geometry.channels;
  const int64_t rows = geometry.images * geometry.output_height;
  parallel_for(0, rows, row_grain(row_numel), [&](int64_t begin, int64_t end) {
    std::vector<T> best(static_cast<size_t>(geometry.channels));
    for (int64_t index = begin; index < end; ++index) {
      row(geometry, index % geometry.output_height,
          input + index / geometry.output_height * image_numel, best.data(),
          taps + index * row_numel);
    }
  });
}

// Every row of the input gathers from the rows of outputs that cover it, from the top down.
template <typename T, typename AddRow>
void gather_gradient(const MaxPool2dGeometry& geometry, const int32_t* taps, const T* grad_output,
                     T* grad_input, const AddRow& add_row) {
  const auto& [kernel, stride, padding] = geometry.params;
  const int64_t row_numel = geometry.width * geometry.channels;
  const int64_t output_row_numel = geometry.output_width * geometry.channels;
  const int64_t rows = geometry.images * geometry.height;
  parallel_for(0, rows, row_grain(row_numel), [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t image = index / geometry.height, y = index % geometry.height;
      std::fill_n(grad_input + index * row_numel, row_numel, T(0));
      const IndexRange windows =
          windows_over(y, kernel[0], stride[0], padding[0], geometry.output_height);
      for (int64_t output_y = windows.begin; output_y < windows.end; ++output_y) {
        const int64_t offset = (image * geometry.output_height + output_y) * output_row_numel;
        add_row(geometry, y + padding[0] - output_y * stride[0], taps + offset,
                grad_output + offset, grad_input + index * row_numel);
      }
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

void max_pool2d_taps(const MaxPool2dGeometry& geometry, const float* input, int32_t* taps) {
  for_each_tap_row(geometry, input, taps, tap_row_f32);
}

void max_pool2d_taps(const MaxPool2dGeometry& geometry, const double* input, int32_t* taps) {
  for_each_tap_row(geometry, input, taps, tap_row<double>);
}

void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const float* grad_output, float* grad_input) {
  gather_gradient(geometry, taps, grad_output, grad_input, add_row_gradient_f32);
}

void max_pool2d_backward(const MaxPool2dGeometry& geometry, const int32_t* taps,
                         const double* grad_output, double* grad_input) {
  gather_gradient(geometry, taps, grad_output, grad_input, add_row_gradient<double>);
}

}  // namespace mrcnn::cpu
