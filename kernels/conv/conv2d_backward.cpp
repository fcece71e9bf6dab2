#include "kernels/conv/conv2d_backward.h"

#include <fmt/format.h>

#include <bit>

#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/conv/conv2d_cpu.h"
#include "kernels/conv/conv2d_device.h"
#include "kernels/conv/conv2d_f32.h"

namespace mrcnn {
namespace {

void check_type(const char* op, const Tensor& grad_output) {
  if (!grad_output.defined()) {
    throw ShapeError(fmt::format("[{}] grad_output is undefined", op));
  }
  if (grad_output.device().is_cuda()) {
    dispatch_cuda_float(op, grad_output.dtype(), [](auto) {});
  } else {
    dispatch_float(op, grad_output.dtype(), [](auto) {});
  }
}

// `other` is the tensor that the gradient is multiplied with.
void check_operands(const char* op, const Tensor& grad_output, const Tensor& other,
                    const Shape& input, const Shape& weight, const Conv2dParams& params) {
  check_type(op, grad_output);
  const Shape output = conv2d_output_shape(input, weight, params);
  if (grad_output.shape() != output) {
    throw ShapeError(fmt::format("[{}] grad_output must have the output's shape {}: grad_output {}",
                                 op, output.to_string(), grad_output.describe()));
  }
  if (other.dtype() != grad_output.dtype()) {
    throw DTypeError(fmt::format("[{}] types differ: grad_output {}, the other factor {}", op,
                                 grad_output.describe(), other.describe()));
  }
  common_device(op, {&grad_output, &other});
}

// A slice of a batch may start between the addresses that a GPU's library takes.
Tensor aligned(const Tensor& tensor) {
  constexpr uintptr_t kAlignment = 16;
  const auto address = std::bit_cast<uintptr_t>(tensor.raw());
  return tensor.device().is_cuda() && address % kAlignment != 0 ? tensor.clone() : tensor;
}

}  // namespace

Tensor conv2d_grad_input(const Tensor& grad_output, const Tensor& weight, const Shape& input,
                         const Conv2dParams& params) {
  const char* const op = "conv2d_grad_input";
  check_operands(op, grad_output, weight, input, weight.shape(), params);
  Tensor result = Tensor::empty(input, grad_output.dtype(), grad_output.device());
  if (result.numel() == 0) return result;
  if (grad_output.device().is_cuda()) {
    run_conv2d_grad_input_on_device(aligned(grad_output), aligned(weight), params, result);
  } else if (grad_output.dtype() == DType::kF32) {
    cpu::conv2d_grad_input_f32(grad_output, weight, params, result);
  } else {
    cpu::conv2d_grad_input_plain(grad_output, weight, params, result);
  }
  return result;
}

Tensor conv2d_grad_weight(const Tensor& grad_output, const Tensor& input, const Shape& weight,
                          const Conv2dParams& params) {
  const char* const op = "conv2d_grad_weight";
  check_operands(op, grad_output, input, input.shape(), weight, params);
  if (grad_output.numel() == 0) {
    return Tensor::zeros(weight, grad_output.dtype(), grad_output.device());
  }
  Tensor result = Tensor::empty(weight, grad_output.dtype(), grad_output.device());
  if (grad_output.device().is_cuda()) {
    run_conv2d_grad_weight_on_device(aligned(grad_output), aligned(input), params, result);
  } else if (grad_output.dtype() == DType::kF32) {
    cpu::conv2d_grad_weight_f32(grad_output, input, params, result);
  } else {
    cpu::conv2d_grad_weight_plain(grad_output, input, params, result);
  }
  return result;
}

}  // namespace mrcnn
