#include "kernels/conv/conv_transpose2d.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/linalg/linear.h"

namespace mrcnn {
namespace {

// Input pixels whose products exist at one time: some megabytes for the sizes of mask heads.
constexpr int64_t kPixelsPerBlock = 1024;

struct Geometry {
  int64_t height, width, kernel_h, kernel_w, out_channels;

  // Element of the output where tap (ky, kx) of flat input pixel `pixel` goes.
  int64_t target(int64_t pixel, int64_t ky, int64_t kx) const {
    const int64_t row = pixel / width;  // n * height + y
    const int64_t column = pixel % width;
    return ((row * kernel_h + ky) * width * kernel_w + column * kernel_w + kx) * out_channels;
  }
};

void product_and_shuffle(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu,
                         const Geometry& g, const Tensor& output) {
  const int64_t taps = g.kernel_h * g.kernel_w;
  const PreparedLinear product(conv_transpose2d_matrix(weight), repeat_bias(bias, taps), relu);
  const int64_t channels = weight.size(3);
  const int64_t pixels = input.numel() / channels;
  const Tensor rows = input.reshape({pixels, channels});
  const Tensor products = Tensor::empty({std::min(pixels, kPixelsPerBlock), taps * g.out_channels});
  float* const y = output.data<float>();
  for (int64_t first = 0; first < pixels; first += kPixelsPerBlock) {
    const int64_t count = std::min(kPixelsPerBlock, pixels - first);
    product.run_into(rows.slice(first, first + count), products.slice(0, count));
    const float* const values = products.data<const float>();
    parallel_for(0, count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t tap = 0; tap < taps; ++tap) {
          std::copy_n(values + (i * taps + tap) * g.out_channels, g.out_channels,
                      y + g.target(first + i, tap / g.kernel_w, tap % g.kernel_w));
        }
      }
    });
  }
}

void plain_loop(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu,
                const Geometry& g, const Tensor& output) {
  const int64_t channels = weight.size(3), taps = g.kernel_h * g.kernel_w;
  const double* const x = input.data<double>();
  const double* const w = weight.data<double>();
  const double* const b = bias.defined() ? bias.data<double>() : nullptr;
  double* const y = output.data<double>();
  for (int64_t pixel = 0; pixel < input.numel() / channels; ++pixel) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      double* const target = y + g.target(pixel, tap / g.kernel_w, tap % g.kernel_w);
      for (int64_t o = 0; o < g.out_channels; ++o) {
        double sum = b != nullptr ? b[o] : 0.0;
        for (int64_t c = 0; c < channels; ++c) {
          sum += x[pixel * channels + c] * w[(o * taps + tap) * channels + c];
        }
        target[o] = relu ? std::max(sum, 0.0) : sum;
      }
    }
  }
}

}  // namespace

void check_conv_transpose2d_weight(const char* op, const Tensor& weight, const Tensor& bias) {
  require_cpu(op, {&weight, &bias});
  if (!weight.defined() || weight.rank() != 4 || weight.numel() == 0) {
    throw ShapeError(
        fmt::format("[{}] weight must be a filled [O,KH,KW,C]: weight {}", op, weight.describe()));
  }
  if (weight.dtype() != DType::kF32 && weight.dtype() != DType::kF64) {
    throw DTypeError(fmt::format("[{}] takes f32 or f64: weight {}", op, weight.describe()));
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(fmt::format("[{}] bias must have the weight's {} outputs: bias {}, weight {}",
                                 op, weight.size(0), bias.describe(), weight.describe()));
  }
  if (bias.defined() && bias.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[{}] bias and weight differ in type: bias {}, weight {}", op,
                                 bias.describe(), weight.describe()));
  }
}

Tensor conv_transpose2d_matrix(const Tensor& weight) {
  const int64_t out_channels = weight.size(0), channels = weight.size(3);
  const int64_t taps = weight.size(1) * weight.size(2);
  const Tensor matrix = Tensor::empty({taps * out_channels, channels}, weight.dtype());
  const int64_t row_bytes = channels * dtype_bytes(weight.dtype());
  for (int64_t o = 0; o < out_channels; ++o) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      std::copy_n(weight.raw() + (o * taps + tap) * row_bytes, row_bytes,
                  matrix.raw() + (tap * out_channels + o) * row_bytes);
    }
  }
  return matrix;
}

Tensor repeat_bias(const Tensor& bias, int64_t taps) {
  if (!bias.defined()) return {};
  Tensor repeated = Tensor::empty({taps * bias.numel()}, bias.dtype());
  for (int64_t tap = 0; tap < taps; ++tap) {
    std::copy_n(bias.raw(), bias.bytes(), repeated.raw() + tap * bias.bytes());
  }
  return repeated;
}

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias, bool relu) {
  check_conv_transpose2d_weight("conv_transpose2d", weight, bias);
  require_cpu("conv_transpose2d", {&input});
  if (!input.defined() || input.rank() != 4 || input.size(3) != weight.size(3)) {
    throw ShapeError(fmt::format("[conv_transpose2d] input must be [N,H,W,{}]: input {}, weight {}",
                                 weight.size(3), input.describe(), weight.describe()));
  }
  if (input.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[conv_transpose2d] weight is {} but input is {}",
                                 dtype_name(weight.dtype()), input.describe()));
  }
  const Geometry g{input.size(1), input.size(2), weight.size(1), weight.size(2), weight.size(0)};
  Tensor output = Tensor::empty(
      {input.size(0), g.height * g.kernel_h, g.width * g.kernel_w, g.out_channels}, input.dtype());
  if (output.numel() == 0) return output;
  if (input.dtype() == DType::kF32) {
    product_and_shuffle(input, weight, bias, relu, g, output);
  } else {
    plain_loop(input, weight, bias, relu, g, output);
  }
  return output;
}

}  // namespace mrcnn
