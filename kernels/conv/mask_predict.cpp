#include "kernels/conv/mask_predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/linalg/linear.h"

namespace mrcnn {
namespace {

// Input pixels whose hidden values exist at one time: 4 MB for a 2x2 kernel and 256 channels,
// small enough for a cache level that the threads share.
constexpr int64_t kPixelsPerBlock = 1024;

// Dot products of `count` rows of `length` values with one vector.
MRCNN_TARGET_CLONES
void dot_rows(const float* rows, const float* vector, int64_t count, int64_t length, float* sums) {
  for (int64_t row = 0; row < count; ++row) {
    const float* const values = rows + row * length;
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < length; ++i) sum += values[i] * vector[i];
    sums[row] = sum;
  }
}

float sigmoid(float logit) { return 1.0F / (1.0F + std::exp(-logit)); }

void check_logit_layer(const Tensor& weight, const Tensor& bias, int64_t hidden) {
  require_cpu("mask_predict", {&weight, &bias});
  const bool is_matrix = weight.defined() && weight.rank() == 2;
  const bool is_1x1 =
      weight.defined() && weight.rank() == 4 && weight.size(1) == 1 && weight.size(2) == 1;
  if ((!is_matrix && !is_1x1) || weight.size(-1) != hidden || weight.size(0) == 0) {
    throw ShapeError(fmt::format("[mask_predict] logit_weight must be [K,{0}] or [K,1,1,{0}]: {1}",
                                 hidden, weight.describe()));
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(
        fmt::format("[mask_predict] logit_bias must be [{}]: {}", weight.size(0), bias.describe()));
  }
  if (weight.dtype() != DType::kF32 || (bias.defined() && bias.dtype() != DType::kF32)) {
    throw DTypeError(fmt::format("[mask_predict] takes f32: logit_weight {}, logit_bias {}",
                                 weight.describe(), bias.describe()));
  }
}

PreparedLinear hidden_layer(const Tensor& weight, const Tensor& bias) {
  check_conv_transpose2d_weight("mask_predict", weight, bias);
  if (weight.dtype() != DType::kF32) {
    throw DTypeError("[mask_predict] takes f32: deconv_weight " + weight.describe());
  }
  const int64_t taps = weight.size(1) * weight.size(2);
  return {conv_transpose2d_matrix(weight), repeat_bias(bias, taps), /*relu=*/true};
}

}  // namespace

class PreparedMaskPredictor::Impl {
 public:
  Impl(const Tensor& deconv_weight, const Tensor& deconv_bias, const Tensor& logit_weight,
       const Tensor& logit_bias)
      : hidden_layer_(hidden_layer(deconv_weight, deconv_bias)),
        hidden_(deconv_weight.size(0)),
        kernel_h_(deconv_weight.size(1)),
        kernel_w_(deconv_weight.size(2)),
        logit_weight_(logit_weight),
        logit_bias_(logit_bias) {
    check_logit_layer(logit_weight, logit_bias, hidden_);
  }

  Tensor run(const Tensor& input, const Tensor& labels, MaskOutput kind) const {
    check_input(input, labels);
    const Tensor output =
        Tensor::empty({input.size(0), input.size(1) * kernel_h_, input.size(2) * kernel_w_});
    const int64_t channels = input.size(3), taps = kernel_h_ * kernel_w_;
    const int64_t pixels = input.size(0) * input.size(1) * input.size(2);
    if (pixels == 0) return output;
    const Tensor rows = input.reshape({pixels, channels});
    const Tensor hidden = Tensor::empty({std::min(pixels, kPixelsPerBlock), taps * hidden_});
    for (int64_t first = 0; first < pixels; first += kPixelsPerBlock) {
      const int64_t count = std::min(kPixelsPerBlock, pixels - first);
      hidden_layer_.run_into(rows.slice(first, first + count), hidden.slice(0, count));
      parallel_for(0, count, 32, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          predict_pixel(hidden.data<const float>() + i * taps * hidden_, first + i, input.shape(),
                        labels, kind, output);
        }
      });
    }
    return output;
  }

  int64_t flops(const Shape& input) const {
    return 2 * (input.numel() + input.numel() / input[3]) * kernel_h_ * kernel_w_ * hidden_;
  }

 private:
  void check_input(const Tensor& input, const Tensor& labels) const {
    require_cpu("mask_predict", {&input, &labels});
    const int64_t channels = hidden_layer_.weight_shape()[1];
    if (!input.defined() || input.rank() != 4 || input.size(3) != channels) {
      throw ShapeError(fmt::format("[mask_predict] input must be [D,h,w,{}]: input {}", channels,
                                   input.describe()));
    }
    if (input.dtype() != DType::kF32) {
      throw DTypeError("[mask_predict] takes f32: input " + input.describe());
    }
    if (labels.shape() != Shape{input.size(0)} || labels.dtype() != DType::kI64) {
      throw ShapeError(fmt::format("[mask_predict] labels must be i64 [{}]: labels {}, input {}",
                                   input.size(0), labels.describe(), input.describe()));
    }
    const int64_t classes = logit_weight_.size(0);
    for (const int64_t label : labels.span<const int64_t>()) {
      if (label < 0 || label >= classes) {
        throw ShapeError(
            fmt::format("[mask_predict] label {} is not one of {} classes", label, classes));
      }
    }
  }

  // Writes the KH x KW outputs of one input pixel, from its hidden values [KH, KW, H].
  void predict_pixel(const float* hidden, int64_t pixel, const Shape& input, const Tensor& labels,
                     MaskOutput kind, const Tensor& output) const {
    const int64_t width = input[2];
    const int64_t label = labels.data<const int64_t>()[pixel / (input[1] * width)];
    const float* const weight = logit_weight_.data<const float>() + label * hidden_;
    const float bias = logit_bias_.defined() ? logit_bias_.data<const float>()[label] : 0.0F;
    const int64_t row = pixel / width;  // detection * h + y
    for (int64_t ky = 0; ky < kernel_h_; ++ky) {
      float* const target = output.data<float>() + (row * kernel_h_ + ky) * width * kernel_w_ +
                            pixel % width * kernel_w_;
      dot_rows(hidden + ky * kernel_w_ * hidden_, weight, kernel_w_, hidden_, target);
      for (int64_t kx = 0; kx < kernel_w_; ++kx) {
        target[kx] += bias;
        if (kind == MaskOutput::kProbabilities) target[kx] = sigmoid(target[kx]);
      }
    }
  }

  PreparedLinear hidden_layer_;
  int64_t hidden_;
  int64_t kernel_h_;
  int64_t kernel_w_;
  Tensor logit_weight_;
  Tensor logit_bias_;
};

PreparedMaskPredictor::PreparedMaskPredictor(const Tensor& deconv_weight, const Tensor& deconv_bias,
                                             const Tensor& logit_weight, const Tensor& logit_bias)
    : impl_(std::make_unique<Impl>(deconv_weight, deconv_bias, logit_weight, logit_bias)) {}

PreparedMaskPredictor::~PreparedMaskPredictor() = default;
PreparedMaskPredictor::PreparedMaskPredictor(PreparedMaskPredictor&&) noexcept = default;
PreparedMaskPredictor& PreparedMaskPredictor::operator=(PreparedMaskPredictor&&) noexcept = default;

Tensor PreparedMaskPredictor::run(const Tensor& input, const Tensor& labels,
                                  MaskOutput output) const {
  return impl_->run(input, labels, output);
}

int64_t PreparedMaskPredictor::flops(const Shape& input) const { return impl_->flops(input); }

}  // namespace mrcnn
