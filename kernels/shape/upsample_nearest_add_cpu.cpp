#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/shape/upsample_nearest_add.h"
#include "kernels/shape/upsample_nearest_add_math.h"

namespace mrcnn::cpu {
namespace {

std::vector<int64_t> source_indices(int64_t input, int64_t output) {
  std::vector<int64_t> indices;
  const float scale = upsample_scale(input, output);
  for (int64_t i = 0; i < output; ++i) indices.push_back(upsample_source(i, scale, input));
  return indices;
}

// coarse_row [CW, C], fine_row and output_row [W, C], columns [W]
template <typename T>
inline __attribute__((always_inline)) void add_row(int64_t width, int64_t channels,
                                                   const int64_t* columns,
                                                   const T* __restrict__ coarse_row,
                                                   const T* __restrict__ fine_row,
                                                   T* __restrict__ output_row) {
  for (int64_t x = 0; x < width; ++x) {
    const T* coarse = coarse_row + columns[x] * channels;
    const T* fine = fine_row + x * channels;
    T* output = output_row + x * channels;
    for (int64_t c = 0; c < channels; ++c) output[c] = fine[c] + coarse[c];
  }
}

MRCNN_TARGET_CLONES
void add_row_f32(int64_t width, int64_t channels, const int64_t* columns, const float* coarse_row,
                 const float* fine_row, float* output_row) {
  add_row(width, channels, columns, coarse_row, fine_row, output_row);
}

// Adds each pixel of a fine row to the one of the coarse row that it was taken from.
template <typename T>
inline __attribute__((always_inline)) void add_row_gradient(int64_t width, int64_t channels,
                                                            const int64_t* columns,
                                                            const T* __restrict__ grad_row,
                                                            T* __restrict__ grad_coarse_row) {
  for (int64_t x = 0; x < width; ++x) {
    const T* grad = grad_row + x * channels;
    T* sum = grad_coarse_row + columns[x] * channels;
    for (int64_t c = 0; c < channels; ++c) sum[c] += grad[c];
  }
}

MRCNN_TARGET_CLONES
void add_row_gradient_f32(int64_t width, int64_t channels, const int64_t* columns,
                          const float* grad_row, float* grad_coarse_row) {
  add_row_gradient(width, channels, columns, grad_row, grad_coarse_row);
}

template <typename T, typename AddRow>
void gather_gradient(const UpsampleGeometry& geometry, const T* grad_output, T* grad_coarse,
                     const AddRow& add_row) {
  const std::vector<int64_t> columns = source_indices(geometry.coarse_width, geometry.width);
  const float scale = upsample_scale(geometry.coarse_height, geometry.height);
  const int64_t row_numel = geometry.width * geometry.channels;
  const int64_t coarse_row_numel = geometry.coarse_width * geometry.channels;
  const auto first_row = [&](int64_t coarse_y) {
    return upsample_first(coarse_y, scale, geometry.coarse_height, geometry.height);
  };
  const int64_t rows = geometry.images * geometry.coarse_height;
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, coarse_row_numel));
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t image = index / geometry.coarse_height;
      const int64_t coarse_y = index % geometry.coarse_height;
      T* sums = grad_coarse + index * coarse_row_numel;
      std::fill_n(sums, coarse_row_numel, T(0));
      for (int64_t y = first_row(coarse_y); y < first_row(coarse_y + 1); ++y) {
        add_row(geometry.width, geometry.channels, columns.data(),
                grad_output + (image * geometry.height + y) * row_numel, sums);
      }
    }
  });
}

template <typename T, typename Row>
void for_each_row(const UpsampleGeometry& geometry, const T* coarse, const T* fine, T* output,
                  const Row& row) {
  const std::vector<int64_t> sources = source_indices(geometry.coarse_height, geometry.height);
  const std::vector<int64_t> columns = source_indices(geometry.coarse_width, geometry.width);
  const int64_t row_numel = geometry.width * geometry.channels;
  const int64_t coarse_row_numel = geometry.coarse_width * geometry.channels;
  const int64_t grain = std::max<int64_t>(2, 16384 / std::max<int64_t>(1, row_numel));
  parallel_for(0, geometry.images * geometry.height, grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t image = index / geometry.height;
      const int64_t source = sources[static_cast<size_t>(index % geometry.height)];
      row(geometry.width, geometry.channels, columns.data(),
          coarse + (image * geometry.coarse_height + source) * coarse_row_numel,
          fine + index * row_numel, output + index * row_numel);
    }
  });
}

}  // namespace

void upsample_nearest_add(const UpsampleGeometry& geometry, const float* coarse, const float* fine,
                          float* output) {
  for_each_row(geometry, coarse, fine, output, add_row_f32);
}

void upsample_nearest_add(const UpsampleGeometry& geometry, const double* coarse,
                          const double* fine, double* output) {
  for_each_row(geometry, coarse, fine, output, add_row<double>);
}

void upsample_nearest_backward(const UpsampleGeometry& geometry, const float* grad_output,
                               float* grad_coarse) {
  gather_gradient(geometry, grad_output, grad_coarse, add_row_gradient_f32);
}

void upsample_nearest_backward(const UpsampleGeometry& geometry, const double* grad_output,
                               double* grad_coarse) {
  gather_gradient(geometry, grad_output, grad_coarse, add_row_gradient<double>);
}

}  // namespace mrcnn::cpu
