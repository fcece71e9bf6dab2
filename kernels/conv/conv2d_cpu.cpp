#include "kernels/conv/conv2d_cpu.h"

#include <algorithm>
#include <vector>

#include "core/dispatch.h"
#include "core/parallel.h"
#include "core/target_clones.h"

namespace mrcnn::cpu {
namespace {

// The part [begin, end) of a kernel's extent that falls on the input when it starts at `start`.
struct TapRange {
  int64_t begin;
  int64_t end;
  TapRange(int64_t start, int64_t kernel, int64_t extent)
      : begin(std::max<int64_t>(0, -start)), end(std::min(kernel, extent - start)) {}
};

// Images, rows and columns of a batch in one row of numbers.
struct Pixels {
  int64_t height;
  int64_t width;
  explicit Pixels(const Tensor& tensor) : height(tensor.size(1)), width(tensor.size(2)) {}
  int64_t at(int64_t n, int64_t y, int64_t x) const { return (n * height + y) * width + x; }
};

MRCNN_TARGET_CLONES
double dot(int64_t count, const double* a, const double* b) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

MRCNN_TARGET_CLONES
void add_scaled(int64_t count, double factor, const double* values, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += factor * values[i];
}

MRCNN_TARGET_CLONES
void add_scaled(int64_t count, double factor, const float* values, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += factor * static_cast<double>(values[i]);
}

// The gradient of one output channel's taps [KH, KW, C], added up in f64.
template <typename T>
void grad_taps(const Tensor& grad_output, const Tensor& input, const Conv2dParams& params,
               int64_t output_channel, int64_t kernel_h, int64_t kernel_w,
               std::vector<double>& taps) {
  const int64_t channels = input.size(3), out_channels = grad_output.size(3);
  const Pixels in(input), out(grad_output);
  const T* const x = input.data<const T>();
  const T* const g = grad_output.data<const T>() + output_channel;
  std::fill(taps.begin(), taps.end(), 0.0);
  for (int64_t i = 0; i < input.size(0) * out.height * out.width; ++i) {
    const int64_t n = i / (out.height * out.width);
    const int64_t top = i / out.width % out.height * params.stride[0] - params.padding[0];
    const int64_t left = i % out.width * params.stride[1] - params.padding[1];
    const TapRange rows(top, kernel_h, in.height);
    const TapRange columns(left, kernel_w, in.width);
    const auto gradient = static_cast<double>(g[i * out_channels]);
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      add_scaled((columns.end - columns.begin) * channels, gradient,
                 x + in.at(n, top + ky, left + columns.begin) * channels,
                 taps.data() + (ky * kernel_w + columns.begin) * channels);
    }
  }
}

}  // namespace

void conv2d_plain(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& residual, const Conv2dParams& params, const Tensor& output) {
  const int64_t height = input.size(1), width = input.size(2), channels = input.size(3);
  const int64_t kernel_h = weight.size(1), kernel_w = weight.size(2);
  const int64_t out_h = output.size(1), out_w = output.size(2), out_channels = output.size(3);
  const double* const x = input.data<double>();
  const double* const w = weight.data<double>();
  const double* const b = bias.defined() ? bias.data<double>() : nullptr;
  const double* const r = residual.defined() ? residual.data<double>() : nullptr;
  double* const y = output.data<double>();

  const auto value_at = [&](int64_t n, int64_t oy, int64_t ox, int64_t o) {
    const int64_t top = oy * params.stride[0] - params.padding[0];
    const int64_t left = ox * params.stride[1] - params.padding[1];
    const TapRange rows(top, kernel_h, height);
    const TapRange columns(left, kernel_w, width);
    double sum = b != nullptr ? b[o] : 0.0;
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      sum += dot((columns.end - columns.begin) * channels,
                 x + ((n * height + top + ky) * width + left + columns.begin) * channels,
                 w + ((o * kernel_h + ky) * kernel_w + columns.begin) * channels);
    }
    return sum;
  };

  parallel_for(0, output.size(0) * out_h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t k = 0; k < out_channels * out_w; ++k) {  // the taps of a channel stay at hand
        const int64_t o = k / out_w, ox = k % out_w;
        const int64_t i = (row * out_w + ox) * out_channels + o;
        double value = value_at(row / out_h, row % out_h, ox, o);
        if (r != nullptr) value += r[i];
        y[i] = params.relu ? std::max(value, 0.0) : value;
      }
    }
  });
}

void conv2d_grad_input_plain(const Tensor& grad_output, const Tensor& weight,
                             const Conv2dParams& params, const Tensor& grad_input) {
  const int64_t channels = weight.size(3), out_channels = weight.size(0);
  const int64_t kernel_h = weight.size(1), kernel_w = weight.size(2);
  const Pixels in(grad_input), out(grad_output);
  const double* const g = grad_output.data<const double>();
  const double* const w = weight.data<const double>();
  double* const result = grad_input.data<double>();

  // The output row or column that reads `position` with tap k; -1 if there is none.
  const auto reader = [&](size_t axis, int64_t position, int64_t k, int64_t extent) {
    const int64_t start = position + params.padding[axis] - k;
    const int64_t stride = params.stride[axis];
    return start >= 0 && start % stride == 0 && start / stride < extent ? start / stride : -1;
  };
  const auto fill_pixel = [&](int64_t n, int64_t y, int64_t x, double* pixel) {
    std::fill_n(pixel, channels, 0.0);
    for (int64_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
      const int64_t oy = reader(0, y, tap / kernel_w, out.height);
      const int64_t ox = reader(1, x, tap % kernel_w, out.width);
      if (oy < 0 || ox < 0) continue;
      for (int64_t o = 0; o < out_channels; ++o) {
        const double gradient = g[out.at(n, oy, ox) * out_channels + o];
        add_scaled(channels, gradient, w + (o * kernel_h * kernel_w + tap) * channels, pixel);
      }
    }
  };
  parallel_for(0, grad_input.size(0) * in.height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * in.width; i < end * in.width; ++i) {
      const int64_t row = i / in.width;
      fill_pixel(row / in.height, row % in.height, i % in.width, result + i * channels);
    }
  });
}

void conv2d_grad_weight_plain(const Tensor& grad_output, const Tensor& input,
                              const Conv2dParams& params, const Tensor& grad_weight) {
  const int64_t kernel_h = grad_weight.size(1), kernel_w = grad_weight.size(2);
  const int64_t count = kernel_h * kernel_w * grad_weight.size(3);
  dispatch_float("conv2d_grad_weight", grad_weight.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(0, grad_weight.size(0), 1, [&](int64_t begin, int64_t end) {
      std::vector<double> taps(static_cast<size_t>(count));
      for (int64_t o = begin; o < end; ++o) {
        grad_taps<T>(grad_output, input, params, o, kernel_h, kernel_w, taps);
        std::transform(taps.begin(), taps.end(), grad_weight.data<T>() + o * count,
                       [](double sum) { return static_cast<T>(sum); });
      }
    });
  });
}

}  // namespace mrcnn::cpu
