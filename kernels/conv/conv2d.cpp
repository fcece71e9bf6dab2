#include "kernels/conv/conv2d.h"

#include <fmt/format.h>

#include <atomic>
#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/conv/conv2d_backward.h"
#include "kernels/conv/conv2d_checks.h"
#include "kernels/conv/conv2d_cpu.h"
#include "kernels/conv/conv2d_device.h"
#include "kernels/conv/conv2d_f32.h"
#include "kernels/elementwise/relu.h"
#include "kernels/reduce/sum_rows.h"

namespace mrcnn {
namespace {

std::atomic<bool> g_strict{false};

void check_params(const char* op, const Conv2dParams& params) {
  const auto& [stride, padding, relu, tf32] = params;
  if (stride[0] < 1 || stride[1] < 1 || padding[0] < 0 || padding[1] < 0) {
    throw ShapeError(fmt::format("[{}] stride {}x{} and padding {}x{} make no sense", op, stride[0],
                                 stride[1], padding[0], padding[1]));
  }
}

// Extent of the output along one axis.
int64_t output_extent(int64_t input, int64_t kernel, int64_t stride, int64_t padding) {
  const int64_t last_start = input + 2 * padding - kernel;
  return last_start < 0 ? 0 : last_start / stride + 1;
}

// Keeps what the gradients that are asked for will read, no more.
class Backward {
 public:
  Backward(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& residual,
           const Conv2dParams& params, const Tensor& output)
      : of_input_(needs_grad(input)),
        of_weight_(needs_grad(weight)),
        of_bias_(needs_grad(bias)),
        of_residual_(needs_grad(residual)),
        params_(params),
        input_shape_(input.shape()),
        weight_shape_(weight.shape()) {
    if (of_weight_) input_ = input.detach();
    if (of_input_) weight_ = weight.detach();
    const bool any = of_input_ || of_weight_ || of_bias_ || of_residual_;
    if (params.relu && any) output_ = output.detach();
  }

  std::vector<Tensor> operator()(const Tensor& grad_output) const {
    const Tensor grad = output_.defined() ? relu_backward(grad_output, output_) : grad_output;
    const int64_t rows = grad.numel() / weight_shape_[0];
    std::vector<Tensor> gradients(4);
    if (of_input_) gradients[0] = conv2d_grad_input(grad, weight_, input_shape_, params_);
    if (of_weight_) gradients[1] = conv2d_grad_weight(grad, input_, weight_shape_, params_);
    if (of_bias_) gradients[2] = sum_rows(grad.reshape({rows, weight_shape_[0]}));
    if (of_residual_) gradients[3] = grad;
    return gradients;
  }

 private:
  bool of_input_;
  bool of_weight_;
  bool of_bias_;
  bool of_residual_;
  Conv2dParams params_;
  Shape input_shape_;
  Shape weight_shape_;
  Tensor input_{};
  Tensor weight_{};
  Tensor output_{};
};

}  // namespace

void set_strict_convolution(bool strict) { g_strict = strict; }
bool strict_convolution() { return g_strict; }

Shape conv2d_output_shape(const Shape& input, const Shape& weight, const Conv2dParams& params) {
  check_params("conv2d", params);
  if (input.rank() != 4 || weight.rank() != 4) {
    throw ShapeError(fmt::format("[conv2d] takes [N,H,W,C] and [O,KH,KW,C]: input {}, weight {}",
                                 input.to_string(), weight.to_string()));
  }
  if (input[3] != weight[3]) {
    throw ShapeError(
        fmt::format("[conv2d] input has {} channels but weight expects {}: input {}, weight {}",
                    input[3], weight[3], input.to_string(), weight.to_string()));
  }
  const int64_t height = output_extent(input[1], weight[1], params.stride[0], params.padding[0]);
  const int64_t width = output_extent(input[2], weight[2], params.stride[1], params.padding[1]);
  if (height == 0 || width == 0) {
    throw ShapeError(fmt::format(
        "[conv2d] input of {}x{} with padding {}x{} is smaller than the {}x{} kernel: input {}, "
        "weight {}",
        input[1], input[2], params.padding[0], params.padding[1], weight[1], weight[2],
        input.to_string(), weight.to_string()));
  }
  return {input[0], height, width, weight[0]};
}

void check_conv2d_weight(const char* op, const Tensor& weight, const Tensor& bias,
                         const Conv2dParams& params) {
  const Device device = common_device(op, {&weight, &bias});
  check_params(op, params);
  if (!weight.defined() || weight.rank() != 4 || weight.numel() == 0) {
    throw ShapeError(
        fmt::format("[{}] weight must be a filled [O,KH,KW,C]: weight {}", op, weight.describe()));
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(fmt::format("[{}] bias must have the weight's {} outputs: bias {}, weight {}",
                                 op, weight.size(0), bias.describe(), weight.describe()));
  }
  const DType bias_type = weight.dtype() == DType::kBF16 ? DType::kF32 : weight.dtype();
  if (bias.defined() && bias.dtype() != bias_type) {
    throw DTypeError(fmt::format("[{}] bias must be {}: bias {}, weight {}", op,
                                 dtype_name(bias_type), bias.describe(), weight.describe()));
  }
  if (device.is_cuda()) dispatch_cuda_float(op, weight.dtype(), [](auto) {});
}

Shape check_conv2d_input(const char* op, const Tensor& input, const Tensor& residual,
                         const Shape& weight, DType weight_dtype, const Conv2dParams& params) {
  common_device(op, {&input, &residual});
  if (!input.defined()) throw ShapeError(fmt::format("[{}] input is undefined", op));
  const Shape output = conv2d_output_shape(input.shape(), weight, params);
  if (residual.defined() && residual.shape() != output) {
    throw ShapeError(fmt::format("[{}] residual must have the output's shape {}: residual {}", op,
                                 output.to_string(), residual.describe()));
  }
  if (input.dtype() != weight_dtype || (residual.defined() && residual.dtype() != weight_dtype)) {
    throw DTypeError(fmt::format("[{}] weight is {} but input is {} and residual {}", op,
                                 dtype_name(weight_dtype), input.describe(), residual.describe()));
  }
  return output;
}

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& residual,
              const Conv2dParams& params) {
  check_conv2d_weight("conv2d", weight, bias, params);
  const Shape shape =
      check_conv2d_input("conv2d", input, residual, weight.shape(), weight.dtype(), params);
  common_device("conv2d", {&input, &weight});
  const bool on_gpu = weight.device().is_cuda();
  if (!on_gpu && weight.dtype() != DType::kF32 && weight.dtype() != DType::kF64) {
    throw DTypeError("[conv2d] takes f32 or f64: weight " + weight.describe());
  }
  const Tensor output = Tensor::empty(shape, weight.dtype(), weight.device());
  if (output.numel() > 0) {
    if (on_gpu) {
      run_conv2d_on_device(input, weight, bias, residual, params, output);
    } else if (weight.dtype() == DType::kF32) {
      cpu::conv2d_f32(input, weight, bias, residual, params, output);
    } else {
      cpu::conv2d_plain(input, weight, bias, residual, params, output);
    }
  }
  return record("conv2d", output, {input, weight, bias, residual},
                Backward(input, weight, bias, residual, params, output));
}

}  // namespace mrcnn
