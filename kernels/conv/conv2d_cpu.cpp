#include "kernels/conv/conv2d_cpu.h"

#include <algorithm>

#include "core/parallel.h"

namespace mrcnn::cpu {
namespace {

// The part [begin, end) of a kernel's extent that falls on the input when it starts at `start`.
struct TapRange {
  int64_t begin;
  int64_t end;
  TapRange(int64_t start, int64_t kernel, int64_t extent)
      : begin(std::max<int64_t>(0, -start)), end(std::min(kernel, extent - start)) {}
};

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
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
        const double* const pixel = x + ((n * height + top + ky) * width + left + kx) * channels;
        const double* const taps = w + ((o * kernel_h + ky) * kernel_w + kx) * channels;
        for (int64_t c = 0; c < channels; ++c) sum += pixel[c] * taps[c];
      }
    }
    return sum;
  };

  parallel_for(0, output.size(0) * out_h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = row * out_w * out_channels; i < (row + 1) * out_w * out_channels; ++i) {
        const int64_t ox = i / out_channels % out_w;
        double value = value_at(row / out_h, row % out_h, ox, i % out_channels);
        if (r != nullptr) value += r[i];
        y[i] = params.relu ? std::max(value, 0.0) : value;
      }
    }
  });
}

}  // namespace mrcnn::cpu
