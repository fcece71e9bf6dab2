#include <array>
#include <bit>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_checks.h"
#include "kernels/conv/conv2d_device.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/operation_cache.h"
#include "kernels/conv/winograd.h"

namespace mrcnn {
namespace {

// Images, rows, columns, and how the residual is added.
using ConvKey = std::tuple<int64_t, int64_t, int64_t, onednn::Residual>;

onednn::ConvGeometry geometry_of(const Shape& input, const Shape& weight,
                                 const Conv2dParams& params) {
  const Shape output = conv2d_output_shape(input, weight, params);
  return {.batch = input[0],
          .height = input[1],
          .width = input[2],
          .channels = input[3],
          .out_channels = weight[0],
          .out_height = output[1],
          .out_width = output[2],
          .kernel = {weight[1], weight[2]},
          .stride = params.stride,
          .padding = params.padding};
}

dnnl::memory::desc plain_layout(const Shape& weight) {
  return onednn::plain_conv_weight(
      {.channels = weight[3], .out_channels = weight[0], .kernel = {weight[1], weight[2]}});
}

// A gradient that silently ends here would train wrongly.
void refuse_gradients(const Tensor& input, const Tensor& residual) {
  if (!needs_grad(input) && !needs_grad(residual)) return;
  throw Error(ExitCode::kInternal,
              "[conv2d] a prepared convolution records no gradients; use conv2d(), or NoGradGuard: "
              "input " +
                  input.describe());
}

}  // namespace

class PreparedConv2d::Impl {
 public:
  Impl(const Tensor& weight, const Conv2dParams& params)
      : weight_shape_(weight.shape()), params_(params) {}
  virtual ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  virtual bool runs_winograd(const Shape& input) const = 0;
  virtual Tensor run(const Tensor& input, const Tensor& residual) = 0;
  virtual Tensor run_reusing(const Tensor& input, Tensor residual) = 0;

  const Shape& weight_shape() const { return weight_shape_; }
  const Conv2dParams& params() const { return params_; }

 protected:
  Shape weight_shape_;
  Conv2dParams params_;
};

namespace {

class DeviceConv2d final : public PreparedConv2d::Impl {
 public:
  DeviceConv2d(const Tensor& weight, const Tensor& bias, const Conv2dParams& params)
      : Impl(weight, params), weight_(weight), bias_(bias) {}

  bool runs_winograd(const Shape&) const override { return false; }

  Tensor run(const Tensor& input, const Tensor& residual) override {
    const Shape shape =
        check_conv2d_input("conv2d", input, residual, weight_shape_, weight_.dtype(), params_);
    common_device("conv2d", {&input, &weight_});
    Tensor output = Tensor::empty(shape, weight_.dtype(), weight_.device());
    run_conv2d_on_device(input, weight_, bias_, residual, params_, output);
    return output;
  }

  // The libraries do not promise to read a residual before they write its place.
  Tensor run_reusing(const Tensor& input, Tensor residual) override { return run(input, residual); }

 private:
  Tensor weight_;
  Tensor bias_;
};

class CpuConv2d final : public PreparedConv2d::Impl {
 public:
  CpuConv2d(const Tensor& weight, const Tensor& bias, const Conv2dParams& params,
            Conv2dAlgorithm algorithm)
      : Impl(weight, params),
        bias_(bias),
        algorithm_(algorithm),
        direct_(weight, plain_layout(weight.shape())) {
    if (may_run_winograd()) winograd_source_ = weight;
  }

  bool runs_winograd(const Shape& input) const override {
    return may_run_winograd() && (algorithm_ == Conv2dAlgorithm::kWinograd ||
                                  (!strict_convolution() && cpu::use_winograd(input)));
  }

  Tensor run(const Tensor& input, const Tensor& residual) override {
    return run_to(input, residual, Tensor::empty(check(input, residual)));
  }

  Tensor run_reusing(const Tensor& input, Tensor residual) override {
    const Shape shape = check(input, residual);
    // Winograd reads a residual while other pixels of it may be written already.
    const bool in_place =
        residual.defined() && !residual.is_shared() && !runs_winograd(input.shape());
    return run_to(input, residual, in_place ? residual : Tensor::empty(shape));
  }

 private:
  bool may_run_winograd() const {
    return algorithm_ != Conv2dAlgorithm::kDirect && !cpu::winograd_kernels().empty() &&
           cpu::WinogradConv2d::supports(weight_shape_, params_);
  }

  Shape check(const Tensor& input, const Tensor& residual) const {
    require_cpu("conv2d", {&input});
    return check_conv2d_input("conv2d", input, residual, weight_shape_, DType::kF32, params_);
  }

  // `output` may be the residual itself, unless Winograd runs.
  Tensor run_to(const Tensor& input, const Tensor& residual, const Tensor& output) {
    if (runs_winograd(input.shape())) {
      std::call_once(winograd_once_, [this] {
        winograd_.emplace(winograd_source_, cpu::winograd_kernels().front());
        winograd_source_ = {};
      });
      winograd_->run(input, bias_, residual, params_.relu, output);
      return output;
    }
    const int64_t batch = input.size(0);
    for (int64_t begin = 0; begin < batch;) {
      const auto left = static_cast<uint64_t>(batch - begin);
      const int64_t end = begin + static_cast<int64_t>(std::bit_floor(left));
      run_direct(input.slice(begin, end),
                 residual.defined() ? residual.slice(begin, end) : Tensor{},
                 output.slice(begin, end));
      begin = end;
    }
    return output;
  }

  void run_direct(const Tensor& input, const Tensor& residual, const Tensor& output) {
    onednn::translate_errors("conv2d", [&] {
      const onednn::Residual added = !residual.defined()              ? onednn::Residual::kNone
                                     : residual.raw() == output.raw() ? onednn::Residual::kInPlace
                                                                      : onednn::Residual::kTensor;
      const ConvKey key{input.size(0), input.size(1), input.size(2), added};
      const auto prepared = direct_.get(key, [&] {
        return onednn::make_convolution(
            geometry_of(input.shape(), weight_shape_, params_),
            {.bias = bias_.defined(), .residual = added, .relu = params_.relu});
      });
      onednn::execute(prepared.operation, input, prepared.weight, bias_,
                      added == onednn::Residual::kTensor ? residual : Tensor{}, output);
    });
  }

  Tensor bias_;
  Conv2dAlgorithm algorithm_;
  Tensor winograd_source_;  // until it is packed
  std::once_flag winograd_once_;
  std::optional<cpu::WinogradConv2d> winograd_;  // packed at the first use: 4 times the weight
  onednn::OperationCache<ConvKey> direct_;
};

}  // namespace

PreparedConv2d::PreparedConv2d(const Tensor& weight, const Tensor& bias, const Conv2dParams& params,
                               Conv2dAlgorithm algorithm) {
  check_conv2d_weight("conv2d", weight, bias, params);
  if (weight.device().is_cuda()) {
    impl_ = std::make_unique<DeviceConv2d>(weight, bias, params);
    return;
  }
  if (weight.dtype() != DType::kF32) {
    throw DTypeError("[conv2d] only f32 weights can be prepared: weight " + weight.describe());
  }
  if (algorithm == Conv2dAlgorithm::kWinograd &&
      !cpu::WinogradConv2d::supports(weight.shape(), params)) {
    throw ShapeError(
        "[conv2d] Winograd takes 3x3 kernels with stride 1, padding 1 and multiples of 16 "
        "channels: weight " +
        weight.describe());
  }
  impl_ = std::make_unique<CpuConv2d>(weight, bias, params, algorithm);
}

PreparedConv2d::~PreparedConv2d() = default;
PreparedConv2d::PreparedConv2d(PreparedConv2d&&) noexcept = default;
PreparedConv2d& PreparedConv2d::operator=(PreparedConv2d&&) noexcept = default;

Tensor PreparedConv2d::run(const Tensor& input, const Tensor& residual) const {
  refuse_gradients(input, residual);
  return impl_->run(input, residual);
}

Tensor PreparedConv2d::run_reusing(const Tensor& input, Tensor residual) const {
  refuse_gradients(input, residual);
  return impl_->run_reusing(input, std::move(residual));
}

const Shape& PreparedConv2d::weight_shape() const { return impl_->weight_shape(); }
const Conv2dParams& PreparedConv2d::params() const { return impl_->params(); }

int64_t PreparedConv2d::flops(const Shape& input) const {
  const Shape& weight = impl_->weight_shape();
  const Shape output = conv2d_output_shape(input, weight, impl_->params());
  return 2 * output.numel() * weight[1] * weight[2] * weight[3];
}

bool PreparedConv2d::runs_winograd(const Shape& input) const { return impl_->runs_winograd(input); }

}  // namespace mrcnn
