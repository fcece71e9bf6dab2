#include "kernels/conv/class_conv.h"

#include <fmt/format.h>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "class_conv";

void check_types(const Tensor& input, const Tensor& weight, const Tensor& bias,
                 const Tensor& labels) {
  if (input.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[{}] types differ: input {}, weight {}", kOp, input.describe(),
                                 weight.describe()));
  }
  const DType bias_dtype = weight.dtype() == DType::kBF16 ? DType::kF32 : weight.dtype();
  if (bias.defined() && bias.dtype() != bias_dtype) {
    throw DTypeError(fmt::format("[{}] bias must be {}: bias {}, weight {}", kOp,
                                 dtype_name(bias_dtype), bias.describe(), weight.describe()));
  }
  if (labels.dtype() != DType::kI32) {
    throw DTypeError(fmt::format("[{}] labels must be i32: {}", kOp, labels.describe()));
  }
  if (input.device().is_cuda()) {
    dispatch_cuda_float(kOp, input.dtype(), [](auto) {});
  } else {
    dispatch_float(kOp, input.dtype(), [](auto) {});
  }
}

ClassConvGeometry geometry_of(const Tensor& input, const Tensor& weight, const Tensor& bias,
                              const Tensor& labels) {
  common_device(kOp, {&input, &weight, &bias, &labels});
  if (!input.defined() || input.rank() != 4) {
    throw ShapeError(fmt::format("[{}] input must be [R,H,W,C]: {}", kOp, input.describe()));
  }
  if (!weight.defined() || weight.numel() == 0 ||
      weight.shape() != Shape{weight.size(0), 1, 1, input.size(3)}) {
    throw ShapeError(fmt::format("[{}] weight must be a filled [K,1,1,{}]: weight {}, input {}",
                                 kOp, input.size(3), weight.describe(), input.describe()));
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(fmt::format("[{}] bias must have the weight's {} classes: bias {}, weight {}",
                                 kOp, weight.size(0), bias.describe(), weight.describe()));
  }
  if (!labels.defined() || labels.shape() != Shape{input.size(0)}) {
    throw ShapeError(fmt::format("[{}] labels must be [{}], one per RoI: labels {}, input {}", kOp,
                                 input.size(0), labels.describe(), input.describe()));
  }
  check_types(input, weight, bias, labels);
  return {.rois = input.size(0),
          .pixels = input.size(1) * input.size(2),
          .channels = input.size(3),
          .classes = weight.size(0)};
}

Tensor gradient_of_input(const ClassConvGeometry& g, const Tensor& grad_output,
                         const Tensor& weight, const Tensor& labels, const Shape& shape) {
  Tensor grad_input = Tensor::empty(shape, grad_output.dtype(), grad_output.device());
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::class_conv_grad_input(g, grad_output.data<const T>(), weight.data<const T>(),
                                     labels.data<const int32_t>(), grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::class_conv_grad_input(g, grad_output.pointer<const T>(), weight.pointer<const T>(),
                                      labels.pointer<const int32_t>(), grad_input.pointer<T>(),
                                      stream);
        });
      });
  return grad_input;
}

// Fills grad_weight, and grad_bias where it is defined.
void gradient_of_weight(const ClassConvGeometry& g, const Tensor& grad_output, const Tensor& input,
                        const Tensor& labels, const Tensor& grad_weight, const Tensor& grad_bias) {
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          const Tensor partial = Tensor::empty({g.rois, g.channels + 1}, input.dtype());
          cpu::class_conv_grad_weight(g, grad_output.data<const T>(), input.data<const T>(),
                                      labels.data<const int32_t>(), partial.data<T>(),
                                      grad_weight.data<T>(),
                                      grad_bias.defined() ? grad_bias.data<T>() : nullptr);
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          const Tensor partial = Tensor::empty({g.rois, cuda::class_conv_blocks(g), g.channels + 1},
                                               DType::kF32, input.device());
          cuda::class_conv_grad_weight(
              g, grad_output.pointer<const T>(), input.pointer<const T>(),
              labels.pointer<const int32_t>(), partial.pointer<float>(), grad_weight.pointer<T>(),
              grad_bias.defined() ? grad_bias.pointer<float>() : nullptr, stream);
        });
      });
}

// Keeps of the tensors what the wanted gradients are made of.
BackwardFunction backward_of(const ClassConvGeometry& g, const Tensor& input, const Tensor& weight,
                             const Tensor& bias, const Tensor& labels) {
  const bool bias_wanted = needs_grad(bias);
  return [g, labels, bias_wanted, bias_dtype = bias.dtype(), weight_wanted = needs_grad(weight),
          input_shape = input.shape(), weight_shape = weight.shape(),
          x = needs_grad(weight) || bias_wanted ? input.detach() : Tensor{},
          w = needs_grad(input) ? weight.detach() : Tensor{}](const Tensor& grad_output) {
    std::vector<Tensor> gradients(3);
    if (w.defined()) gradients[0] = gradient_of_input(g, grad_output, w, labels, input_shape);
    if (x.defined()) {
      const Tensor grad_weight = Tensor::empty(weight_shape, x.dtype(), x.device());
      if (bias_wanted) gradients[2] = Tensor::empty({g.classes}, bias_dtype, x.device());
      gradient_of_weight(g, grad_output, x, labels, grad_weight, gradients[2]);
      if (weight_wanted) gradients[1] = grad_weight;
    }
    return gradients;
  };
}

}  // namespace

Tensor class_conv(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& labels) {
  const ClassConvGeometry g = geometry_of(input, weight, bias, labels);
  const Tensor output =
      Tensor::empty({input.size(0), input.size(1), input.size(2)}, input.dtype(), input.device());
  dispatch_device(
      kOp, input.device(),
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::class_conv(g, input.data<const T>(), weight.data<const T>(),
                          bias.defined() ? bias.data<const T>() : nullptr,
                          labels.data<const int32_t>(), output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::class_conv(g, input.pointer<const T>(), weight.pointer<const T>(),
                           bias.defined() ? bias.pointer<const float>() : nullptr,
                           labels.pointer<const int32_t>(), output.pointer<T>(), stream);
        });
      });
  return record(kOp, output, {input, weight, bias}, backward_of(g, input, weight, bias, labels));
}

}  // namespace mrcnn
