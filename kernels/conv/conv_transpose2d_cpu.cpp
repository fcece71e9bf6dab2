#include <algorithm>

#include "core/parallel.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/elementwise/relu_math.h"

namespace mrcnn::cpu {

void conv_transpose2d(const ConvTranspose2dGeometry& g, bool relu, const double* input,
                      const double* weight, const double* bias, double* output) {
  const int64_t channels = g.channels, taps = g.taps();
  for (int64_t pixel = 0; pixel < g.pixels(); ++pixel) {
    const int64_t row = pixel / g.width;  // n * height + y
    const int64_t column = pixel % g.width;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t target_row = row * g.kernel_h + tap / g.kernel_w;
      const int64_t target_column = column * g.kernel_w + tap % g.kernel_w;
      double* const target =
          output + (target_row * g.width * g.kernel_w + target_column) * g.out_channels;
      for (int64_t o = 0; o < g.out_channels; ++o) {
        double sum = bias != nullptr ? bias[o] : 0.0;
        for (int64_t c = 0; c < channels; ++c) {
          sum += input[pixel * channels + c] * weight[(o * taps + tap) * channels + c];
        }
        target[o] = relu ? std::max(sum, 0.0) : sum;
      }
    }
  }
}

void swap_axes(const SwapAxesGeometry& g, const std::byte* source, std::byte* target) {
  const int64_t items = g.rows * g.columns;
  parallel_for(0, g.batch * g.rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / g.rows * items, row = i % g.rows;
      for (int64_t column = 0; column < g.columns; ++column) {
        std::copy_n(source + (first + row * g.columns + column) * g.item_bytes, g.item_bytes,
                    target + (first + column * g.rows + row) * g.item_bytes);
      }
    }
  });
}

template <typename T>
void conv_transpose2d_gather(const ConvTranspose2dGeometry& g, const T* grad_output,
                             const T* output, T* grad_products) {
  const int64_t run = g.kernel_w * g.out_channels;  // elements that lie together on both sides
  parallel_for(0, g.batch * g.height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * g.width * g.kernel_h; i < end * g.width * g.kernel_h; ++i) {
      const int64_t ky = i % g.kernel_h, x = i / g.kernel_h % g.width;
      const int64_t line = i / g.kernel_h / g.width;
      const int64_t from = ((line * g.kernel_h + ky) * g.width + x) * run;
      T* const to = grad_products + i * run;
      if (output == nullptr) {
        std::copy_n(grad_output + from, run, to);
      } else {
        for (int64_t k = 0; k < run; ++k) {
          to[k] = relu_gradient(grad_output[from + k], output[from + k]);
        }
      }
    }
  });
}

template void conv_transpose2d_gather(const ConvTranspose2dGeometry&, const float*, const float*,
                                      float*);
template void conv_transpose2d_gather(const ConvTranspose2dGeometry&, const double*, const double*,
                                      double*);

}  // namespace mrcnn::cpu
