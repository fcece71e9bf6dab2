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
    cuda::run_convolution({.batch = input.size(0),
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
                           .tf32 = tf32,
                           .bias = bias.defined(),
                           .residual = residual.defined(),
                           .relu = params.relu},
                          input.raw(), weight.raw(), bias_values, address(residual), output.raw(),
                          stream);
  });
}

}  // namespace mrcnn
