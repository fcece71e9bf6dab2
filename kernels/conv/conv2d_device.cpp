#include "kernels/conv/conv2d_device.h"

#include <array>

#include "core/dispatch.h"
#include "kernels/conv/convolution_plan.h"
#include "kernels/linalg/gemm_plan.h"

namespace mrcnn {
namespace {

bool is_product(const Shape& weight, const Conv2dParams& params) {
  constexpr std::array<int64_t, 2> kOnes{1, 1};
  constexpr std::array<int64_t, 2> kZeros{0, 0};
  return weight[1] == 1 && weight[2] == 1 && params.stride == kOnes && params.padding == kZeros;
}

// The problem without an epilogue.
cuda::ConvolutionProblem problem_of(cuda::ConvolutionPass pass, const Tensor& input,
                                    const Tensor& weight, const Tensor& output,
                                    const Conv2dParams& params) {
  return {.pass = pass,
          .batch = input.size(0),
          .height = input.size(1),
          .width = input.size(2),
          .channels = input.size(3),
          .out_channels = weight.size(0),
          .out_height = output.size(1),
          .out_width = output.size(2),
          .kernel = {weight.size(1), weight.size(2)},
          .stride = params.stride,
          .padding = params.padding,
          .dtype = weight.dtype(),
          .tf32 = params.tf32 && weight.dtype() == DType::kF32};
}

const void* address(const Tensor& tensor) { return tensor.defined() ? tensor.raw() : nullptr; }

}  // namespace

void run_conv2d_on_device(const Tensor& input, const Tensor& weight, const Tensor& bias,
                          const Tensor& residual, const Conv2dParams& params,
                          const Tensor& output) {
  if (output.numel() == 0) return;
  const bool tf32 = params.tf32 && weight.dtype() == DType::kF32;
  const float* const bias_values = bias.defined() ? bias.pointer<const float>() : nullptr;
  const auto no_cpu = [] {};  // callers have their own implementation there
  dispatch_device("conv2d", input.device(), no_cpu, [&](Stream stream) {
    if (is_product(weight.shape(), params)) {
      cuda::run_gemm({.rows = output.numel() / weight.size(0),
                      .in = weight.size(3),
                      .out = weight.size(0),
                      .dtype = weight.dtype(),
                      .tf32 = tf32,
                      .bias = bias.defined(),
                      .residual = residual.defined(),
                      .relu = params.relu},
                     input.raw(), weight.raw(), bias_values, address(residual), output.raw(),
                     stream);
      return;
    }
    cuda::ConvolutionProblem problem =
        problem_of(cuda::ConvolutionPass::kForward, input, weight, output, params);
    problem.bias = bias.defined();
    problem.residual = residual.defined();
    problem.relu = params.relu;
    cuda::run_convolution(problem, input.raw(), weight.raw(), bias_values, address(residual),
                          output.raw(), stream);
  });
}

void run_conv2d_grad_input_on_device(const Tensor& grad_output, const Tensor& weight,
                                     const Conv2dParams& params, const Tensor& grad_input) {
  const auto no_cpu = [] {};
  dispatch_device("conv2d_grad_input", weight.device(), no_cpu, [&](Stream stream) {
    cuda::run_convolution(
        problem_of(cuda::ConvolutionPass::kDataGradient, grad_input, weight, grad_output, params),
        grad_output.raw(), weight.raw(), nullptr, nullptr, grad_input.raw(), stream);
  });
}

void run_conv2d_grad_weight_on_device(const Tensor& grad_output, const Tensor& input,
                                      const Conv2dParams& params, const Tensor& grad_weight) {
  const auto no_cpu = [] {};
  dispatch_device("conv2d_grad_weight", input.device(), no_cpu, [&](Stream stream) {
    cuda::run_convolution(
        problem_of(cuda::ConvolutionPass::kWeightGradient, input, grad_weight, grad_output, params),
        input.raw(), grad_output.raw(), nullptr, nullptr, grad_weight.raw(), stream);
  });
}

}  // namespace mrcnn
