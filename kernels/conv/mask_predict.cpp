#include "kernels/conv/mask_predict.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/linalg/linear.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "mask_predict";

// Input pixels whose hidden values exist at one time on the CPU: 4 MB for a 2x2 kernel and 256
// channels, small enough for a cache level that the threads share.
constexpr int64_t kPixelsPerBlock = 1024;

void check_logit_layer(const Tensor& weight, const Tensor& bias, const Tensor& deconv_weight) {
  const int64_t hidden = deconv_weight.size(0);
  common_device(kOp, {&deconv_weight, &weight, &bias});
  const bool is_matrix = weight.defined() && weight.rank() == 2;
  const bool is_1x1 =
      weight.defined() && weight.rank() == 4 && weight.size(1) == 1 && weight.size(2) == 1;
  if ((!is_matrix && !is_1x1) || weight.size(-1) != hidden || weight.size(0) == 0) {
    throw ShapeError(fmt::format("[{0}] logit_weight must be [K,{1}] or [K,1,1,{1}]: {2}", kOp,
                                 hidden, weight.describe()));
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(
        fmt::format("[{}] logit_bias must be [{}]: {}", kOp, weight.size(0), bias.describe()));
  }
  const bool fits = weight.dtype() == DType::kF32 || weight.dtype() == deconv_weight.dtype();
  if (!fits || (bias.defined() && bias.dtype() != DType::kF32)) {
    throw DTypeError(fmt::format(
        "[{}] logit_weight must be f32 or of deconv_weight's type, logit_bias f32: logit_weight "
        "{}, logit_bias {}, deconv_weight {}",
        kOp, weight.describe(), bias.describe(), deconv_weight.describe()));
  }
}

PreparedLinear hidden_layer(const Tensor& weight, const Tensor& bias, bool tf32) {
  check_conv_transpose2d_weight(kOp, weight, bias);
  if (weight.dtype() == DType::kF64) {
    throw DTypeError(fmt::format("[{}] takes f32: deconv_weight {}", kOp, weight.describe()));
  }
  return {conv_transpose2d_matrix(weight), repeat_bias(bias, weight.size(1) * weight.size(2)),
          LinearParams{.relu = true, .tf32 = tf32}};
}

}  // namespace

class PreparedMaskPredictor::Impl {
 public:
  Impl(const Tensor& deconv_weight, const Tensor& deconv_bias, const Tensor& logit_weight,
       const Tensor& logit_bias, bool tf32)
      : hidden_layer_(hidden_layer(deconv_weight, deconv_bias, tf32)),
        geometry_{.kernel_h = deconv_weight.size(1),
                  .kernel_w = deconv_weight.size(2),
                  .hidden = deconv_weight.size(0)},
        dtype_(deconv_weight.dtype()),
        logit_weight_(logit_weight),
        logit_bias_(logit_bias) {
    check_logit_layer(logit_weight, logit_bias, deconv_weight);
    geometry_.classes = logit_weight.size(0);
  }

  Tensor run(const Tensor& input, const Tensor& labels, MaskOutput kind) const {
    check_input(input, labels);
    MaskPredictGeometry g = geometry_;
    g.detections = input.size(0);
    g.height = input.size(1);
    g.width = input.size(2);
    g.output = kind;
    Tensor output = Tensor::empty({g.detections, g.height * g.kernel_h, g.width * g.kernel_w},
                                  DType::kF32, input.device());
    if (g.pixels() == 0) return output;
    const Tensor rows = input.reshape({g.pixels(), input.size(3)});
    dispatch_device(
        kOp, input.device(), [&] { run_in_blocks(g, rows, labels, output); },
        [&](Stream stream) { run_at_once(g, rows, labels, output, stream); });
    return output;
  }

  int64_t flops(const Shape& input) const {
    return 2 * (input.numel() + input.numel() / input[3]) * geometry_.taps() * geometry_.hidden;
  }

 private:
  void check_input(const Tensor& input, const Tensor& labels) const {
    const int64_t channels = hidden_layer_.weight_shape()[1];
    if (!input.defined() || input.rank() != 4 || input.size(3) != channels) {
      throw ShapeError(
          fmt::format("[{}] input must be [D,h,w,{}]: input {}", kOp, channels, input.describe()));
    }
    if (input.dtype() != dtype_) {
      throw DTypeError(
          fmt::format("[{}] weights are {}: input {}", kOp, dtype_name(dtype_), input.describe()));
    }
    if (labels.shape() != Shape{input.size(0)} || labels.dtype() != DType::kI64) {
      throw ShapeError(fmt::format("[{}] labels must be i64 [{}]: labels {}, input {}", kOp,
                                   input.size(0), labels.describe(), input.describe()));
    }
    if (common_device(kOp, {&logit_weight_, &input, &labels}).is_cpu()) return check_values(labels);
    // Positions inside a detection's map are 32-bit.
    if (input.size(1) * input.size(2) * geometry_.taps() > INT32_MAX) {
      throw ShapeError(fmt::format("[{}] too large a map: input {}", kOp, input.describe()));
    }
  }

  void check_values(const Tensor& labels) const {
    for (const int64_t label : labels.span<const int64_t>()) {
      if (label < 0 || label >= geometry_.classes) {
        throw ShapeError(
            fmt::format("[{}] label {} is not one of {} classes", kOp, label, geometry_.classes));
      }
    }
  }

  void run_in_blocks(const MaskPredictGeometry& g, const Tensor& rows, const Tensor& labels,
                     const Tensor& output) const {
    const Tensor hidden =
        Tensor::empty({std::min(g.pixels(), kPixelsPerBlock), g.taps() * g.hidden});
    for (int64_t first = 0; first < g.pixels(); first += kPixelsPerBlock) {
      const int64_t count = std::min(kPixelsPerBlock, g.pixels() - first);
      hidden_layer_.run_into(rows.slice(first, first + count), hidden.slice(0, count));
      cpu::mask_predict(g, first, count, hidden.data<const float>(), labels.data<const int64_t>(),
                        logit_weight_.data<const float>(), logit_bias(), output.data<float>());
    }
  }

  void run_at_once(const MaskPredictGeometry& g, const Tensor& rows, const Tensor& labels,
                   const Tensor& output, Stream stream) const {
    const Tensor hidden =
        Tensor::empty({g.pixels(), g.taps() * g.hidden}, rows.dtype(), rows.device());
    hidden_layer_.run_into(rows, hidden);
    const auto predict = [&](const auto* values, const auto* weight) {
      cuda::mask_predict(g, values, labels.pointer<const int64_t>(), weight, logit_bias(),
                         output.pointer<float>(), stream);
    };
    if (dtype_ == DType::kF32) {
      predict(hidden.pointer<const float>(), logit_weight_.pointer<const float>());
    } else if (logit_weight_.dtype() == DType::kF32) {
      predict(hidden.pointer<const BFloat16>(), logit_weight_.pointer<const float>());
    } else {
      predict(hidden.pointer<const BFloat16>(), logit_weight_.pointer<const BFloat16>());
    }
  }

  const float* logit_bias() const {
    return logit_bias_.defined() ? logit_bias_.pointer<const float>() : nullptr;
  }

  PreparedLinear hidden_layer_;
  MaskPredictGeometry geometry_;  // without the input's sizes
  DType dtype_;
  Tensor logit_weight_;
  Tensor logit_bias_;
};

PreparedMaskPredictor::PreparedMaskPredictor(const Tensor& deconv_weight, const Tensor& deconv_bias,
                                             const Tensor& logit_weight, const Tensor& logit_bias,
                                             bool tf32)
    : impl_(std::make_unique<Impl>(deconv_weight, deconv_bias, logit_weight, logit_bias, tf32)) {}

PreparedMaskPredictor::~PreparedMaskPredictor() = default;
PreparedMaskPredictor::PreparedMaskPredictor(PreparedMaskPredictor&&) noexcept = default;
PreparedMaskPredictor& PreparedMaskPredictor::operator=(PreparedMaskPredictor&&) noexcept = default;

Tensor PreparedMaskPredictor::run(const Tensor& input, const Tensor& labels,
                                  MaskOutput output) const {
  return impl_->run(input, labels, output);
}

int64_t PreparedMaskPredictor::flops(const Shape& input) const { return impl_->flops(input); }

}  // namespace mrcnn
