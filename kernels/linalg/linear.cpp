#include "kernels/linalg/linear.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/operation_cache.h"
#include "kernels/elementwise/relu.h"
#include "kernels/linalg/gemm_plan.h"
#include "kernels/linalg/matmul.h"
#include "kernels/reduce/sum_rows.h"

namespace mrcnn {
namespace {

void check_weight(const Tensor& weight, const Tensor& bias) {
  const Device device = common_device("linear", {&weight, &bias});
  if (!weight.defined() || weight.rank() != 2 || weight.numel() == 0) {
    throw ShapeError("[linear] weight must be a filled [O,I]: weight " + weight.describe());
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(
        fmt::format("[linear] bias must have the weight's {} outputs: bias {}, "
                    "weight {}",
                    weight.size(0), bias.describe(), weight.describe()));
  }
  const DType bias_type = weight.dtype() == DType::kBF16 ? DType::kF32 : weight.dtype();
  if (bias.defined() && bias.dtype() != bias_type) {
    throw DTypeError(fmt::format("[linear] bias must be {}: bias {}, weight {}",
                                 dtype_name(bias_type), bias.describe(), weight.describe()));
  }
  if (device.is_cuda()) dispatch_cuda_float("linear", weight.dtype(), [](auto) {});
}

void check_input(const Tensor& input, const Shape& weight, DType weight_dtype) {
  if (!input.defined() || input.rank() != 2 || input.size(1) != weight[1]) {
    throw ShapeError(fmt::format("[linear] input must be [R,{}]: input {}, weight {}", weight[1],
                                 input.describe(), weight.to_string()));
  }
  if (input.dtype() != weight_dtype) {
    throw DTypeError(fmt::format("[linear] weight is {} but input is {}", dtype_name(weight_dtype),
                                 input.describe()));
  }
}

void check_output(const Tensor& output, const Tensor& input, const Shape& weight) {
  if (output.shape() != Shape{input.size(0), weight[0]} || output.dtype() != input.dtype()) {
    throw ShapeError(fmt::format("[linear] output must be {} [{},{}]: output {}",
                                 dtype_name(input.dtype()), input.size(0), weight[0],
                                 output.describe()));
  }
}

[[noreturn]] void refuse_device(const Tensor& input, Device weight) {
  throw DeviceError("[linear] the weight is on " + weight.to_string() + ": input " +
                    input.describe());
}

// A product is the 1x1 convolution of an image one pixel high: oneDNN's convolution is faster than
// its inner product (75 instead of 87 ms for 1000 x 12544 to 1024 on two cores) and never splits
// the sum of one output over threads, so that the result does not depend on their number.
onednn::ConvGeometry geometry_of(int64_t rows, const Shape& weight) {
  return {.batch = 1,
          .height = 1,
          .width = rows,
          .channels = weight[1],
          .out_channels = weight[0],
          .out_height = 1,
          .out_width = rows};
}

void run_on_gpu(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const LinearParams& params, const Tensor& output, Stream stream) {
  cuda::run_gemm({.rows = input.size(0),
                  .in = weight.size(1),
                  .out = weight.size(0),
                  .dtype = weight.dtype(),
                  .tf32 = params.tf32 && weight.dtype() == DType::kF32,
                  .bias = bias.defined(),
                  .relu = params.relu},
                 input.raw(), weight.raw(), bias.defined() ? bias.pointer<const float>() : nullptr,
                 nullptr, output.raw(), stream);
}

// Keeps of the tensors what the wanted gradients are made of.
BackwardFunction backward_of(const Tensor& input, const Tensor& weight, const Tensor& bias,
                             const Tensor& output, const LinearParams& params) {
  return [x = needs_grad(weight) ? input.detach() : Tensor{},
          w = needs_grad(input) ? weight.detach() : Tensor{},
          y = params.relu ? output.detach() : Tensor{}, bias_wanted = needs_grad(bias),
          tf32 = params.tf32](const Tensor& grad_output) {
    const Tensor grad = y.defined() ? relu_backward(grad_output, y) : grad_output;
    return std::vector<Tensor>{
        w.defined() ? matmul(grad, w, {.tf32 = tf32}) : Tensor{},
        x.defined() ? matmul(grad, x, {.a_transposed = true, .tf32 = tf32}) : Tensor{},
        bias_wanted ? sum_rows(grad) : Tensor{}};
  };
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const LinearParams& params) {
  check_weight(weight, bias);
  check_input(input, weight.shape(), weight.dtype());
  Tensor output = Tensor::empty({input.size(0), weight.size(0)}, input.dtype(), input.device());
  linear_into(input, weight, bias, params, output);
  return record("linear", output, {input, weight, bias},
                backward_of(input, weight, bias, output, params));
}

void linear_into(const Tensor& input, const Tensor& weight, const Tensor& bias,
                 const LinearParams& params, const Tensor& output) {
  check_weight(weight, bias);
  check_input(input, weight.shape(), weight.dtype());
  common_device("linear", {&input, &weight, &output});
  check_output(output, input, weight.shape());
  dispatch_device(
      "linear", input.device(),
      [&] {
        matmul_into(input, weight, {.b_transposed = true}, output);
        dispatch_float("linear", input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::add_bias(output.size(0), output.size(1),
                        bias.defined() ? bias.data<const T>() : nullptr, params.relu,
                        output.data<T>());
        });
      },
      [&](Stream stream) {
        if (input.size(0) > 0) run_on_gpu(input, weight, bias, params, output, stream);
      });
}

class PreparedLinear::Impl {
 public:
  Impl(const Tensor& weight, const Tensor& bias, const LinearParams& params)
      : weight_(weight.device().is_cuda() ? weight.detach() : Tensor{}),
        weight_shape_(weight.shape()),
        dtype_(weight.dtype()),
        device_(weight.device()),
        bias_(bias.detach()),
        params_(params) {
    if (device_.is_cpu()) {
      packed_.emplace(weight.detach(), onednn::plain_conv_weight(geometry_of(1, weight.shape())));
    }
  }

  const Shape& weight_shape() const { return weight_shape_; }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  void run_into(const Tensor& input, const Tensor& output) {
    if (input.size(0) == 0) return;
    dispatch_device(
        "linear", device_, [&] { run_onednn(input, output); },
        [&](Stream stream) { run_on_gpu(input, weight_, bias_, params_, output, stream); });
  }

 private:
  void run_onednn(const Tensor& input, const Tensor& output) {
    onednn::translate_errors("linear", [&] {
      const auto prepared = packed_->get(input.size(0), [&] {
        return onednn::make_convolution(geometry_of(input.size(0), weight_shape_),
                                        {.bias = bias_.defined(), .relu = params_.relu});
      });
      onednn::execute(prepared.operation, input, prepared.weight, bias_, {}, output);
    });
  }

  Tensor weight_;  // on a GPU
  Shape weight_shape_;
  DType dtype_;
  Device device_;
  Tensor bias_;
  LinearParams params_;
  std::optional<onednn::OperationCache<int64_t>> packed_;  // on the CPU
};

PreparedLinear::PreparedLinear(const Tensor& weight, const Tensor& bias,
                               const LinearParams& params) {
  check_weight(weight, bias);
  if (weight.device().is_cpu() && weight.dtype() != DType::kF32) {
    throw DTypeError("[linear] only f32 weights can be prepared: weight " + weight.describe());
  }
  impl_ = std::make_unique<Impl>(weight, bias, params);
}

PreparedLinear::~PreparedLinear() = default;
PreparedLinear::PreparedLinear(PreparedLinear&&) noexcept = default;
PreparedLinear& PreparedLinear::operator=(PreparedLinear&&) noexcept = default;

Tensor PreparedLinear::run(const Tensor& input) const {
  check_input(input, weight_shape(), impl_->dtype());
  if (input.device() != impl_->device()) refuse_device(input, impl_->device());
  Tensor output =
      Tensor::empty({input.size(0), weight_shape()[0]}, impl_->dtype(), impl_->device());
  run_into(input, output);
  return output;
}

void PreparedLinear::run_into(const Tensor& input, const Tensor& output) const {
  check_input(input, weight_shape(), impl_->dtype());
  check_output(output, input, weight_shape());
  if (common_device("linear", {&input, &output}) != impl_->device()) {
    refuse_device(input, impl_->device());
  }
  impl_->run_into(input, output);
}

const Shape& PreparedLinear::weight_shape() const { return impl_->weight_shape(); }

int64_t PreparedLinear::flops(int64_t rows) const { return 2 * rows * weight_shape().numel(); }

}  // namespace mrcnn
