#include "kernels/conv/conv_transpose2d.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/autograd/record.h"
#include "core/device_memory.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/linalg/matmul.h"
#include "kernels/reduce/sum_rows.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "conv_transpose2d";

// Input pixels whose products exist at one time on the CPU: some megabytes for the sizes of mask
// heads. On a GPU it is all of them, which it takes to fill one.
constexpr int64_t kPixelsPerBlock = 1024;

void swap_axes(const SwapAxesGeometry& g, const Tensor& source, const Tensor& target) {
  dispatch_device(
      kOp, source.device(), [&] { cpu::swap_axes(g, source.raw(), target.raw()); },
      [&](Stream stream) { cuda::swap_axes(g, source.raw(), target.raw(), stream); });
}

// Whole rows of the input at a time: within one, the outputs of row ky of the kernel lie together.
void product_and_shuffle(const Tensor& input, const Tensor& weight, const Tensor& bias,
                         const LinearParams& params, const ConvTranspose2dGeometry& g,
                         const Tensor& output) {
  const Tensor matrix = conv_transpose2d_matrix(weight), biases = repeat_bias(bias, g.taps());
  const int64_t lines = g.batch * g.height;
  const int64_t per_block =
      input.device().is_cpu() ? std::max<int64_t>(kPixelsPerBlock / g.width, 1) : lines;
  const Tensor rows = input.reshape({g.pixels(), g.channels});
  const Tensor targets = output.reshape({lines, output.numel() / lines});
  const Tensor products =
      Tensor::empty({std::min(lines, per_block) * g.width, g.taps() * g.out_channels},
                    input.dtype(), input.device());
  for (int64_t first = 0; first < lines; first += per_block) {
    const int64_t count = std::min(per_block, lines - first);
    const Tensor part = products.slice(0, count * g.width);
    linear_into(rows.slice(first * g.width, (first + count) * g.width), matrix, biases, params,
                part);
    swap_axes({.batch = count,
               .rows = g.width,
               .columns = g.kernel_h,
               .item_bytes = g.kernel_w * g.out_channels * dtype_bytes(input.dtype())},
              part, targets.slice(first, first + count));
  }
}

// The gradients of the products [pixels, taps * O], whose shuffle the output is. `output` is
// undefined where there is no ReLU.
Tensor gather_gradient(const ConvTranspose2dGeometry& g, const Tensor& grad_output,
                       const Tensor& output) {
  Tensor grad_products = Tensor::empty({g.pixels(), g.taps() * g.out_channels}, grad_output.dtype(),
                                       grad_output.device());
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::conv_transpose2d_gather(g, grad_output.data<const T>(),
                                       output.defined() ? output.data<const T>() : nullptr,
                                       grad_products.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::conv_transpose2d_gather(g, grad_output.pointer<const T>(),
                                        output.defined() ? output.pointer<const T>() : nullptr,
                                        grad_products.pointer<T>(), stream);
        });
      });
  return grad_products;
}

// [KH * KW * O, C] -> [O, KH, KW, C]: what conv_transpose2d_matrix undoes.
Tensor weight_of_matrix(const ConvTranspose2dGeometry& g, const Tensor& matrix) {
  Tensor weight = Tensor::empty({g.out_channels, g.kernel_h, g.kernel_w, g.channels},
                                matrix.dtype(), matrix.device());
  swap_axes({.rows = g.taps(),
             .columns = g.out_channels,
             .item_bytes = g.channels * dtype_bytes(matrix.dtype())},
            matrix, weight);
  return weight;
}

// Keeps of the tensors what the wanted gradients are made of.
BackwardFunction backward_of(const Tensor& input, const Tensor& weight, const Tensor& bias,
                             const Tensor& output, const LinearParams& params,
                             const ConvTranspose2dGeometry& g) {
  return [g, tf32 = params.tf32, x = needs_grad(weight) ? input.detach() : Tensor{},
          w = needs_grad(input) ? weight.detach() : Tensor{},
          y = params.relu ? output.detach() : Tensor{},
          bias_wanted = needs_grad(bias)](const Tensor& grad_output) {
    const Tensor grad = gather_gradient(g, grad_output, y);
    std::vector<Tensor> gradients(3);
    if (w.defined()) {
      gradients[0] = matmul(grad, conv_transpose2d_matrix(w), {.tf32 = tf32})
                         .reshape({g.batch, g.height, g.width, g.channels});
    }
    if (x.defined()) {
      const MatmulParams transposed{.a_transposed = true, .tf32 = tf32};
      gradients[1] =
          weight_of_matrix(g, matmul(grad, x.reshape({g.pixels(), g.channels}), transposed));
    }
    if (bias_wanted) {
      gradients[2] = sum_rows(grad.reshape({g.pixels() * g.taps(), g.out_channels}));
    }
    return gradients;
  };
}

}  // namespace

void check_conv_transpose2d_weight(const char* op, const Tensor& weight, const Tensor& bias) {
  const Device device = common_device(op, {&weight, &bias});
  if (!weight.defined() || weight.rank() != 4 || weight.numel() == 0) {
    throw ShapeError(
        fmt::format("[{}] weight must be a filled [O,KH,KW,C]: weight {}", op, weight.describe()));
  }
  if (device.is_cuda()) {
    dispatch_cuda_float(op, weight.dtype(), [](auto) {});
  } else {
    dispatch_float(op, weight.dtype(), [](auto) {});
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(fmt::format("[{}] bias must have the weight's {} outputs: bias {}, weight {}",
                                 op, weight.size(0), bias.describe(), weight.describe()));
  }
  const DType bias_dtype = weight.dtype() == DType::kBF16 ? DType::kF32 : weight.dtype();
  if (bias.defined() && bias.dtype() != bias_dtype) {
    throw DTypeError(fmt::format("[{}] bias must be {}: bias {}, weight {}", op,
                                 dtype_name(bias_dtype), bias.describe(), weight.describe()));
  }
}

Tensor conv_transpose2d_matrix(const Tensor& weight) {
  const int64_t out_channels = weight.size(0), channels = weight.size(3);
  const int64_t taps = weight.size(1) * weight.size(2);
  Tensor matrix = Tensor::empty({taps * out_channels, channels}, weight.dtype(), weight.device());
  swap_axes(
      {.rows = out_channels, .columns = taps, .item_bytes = channels * dtype_bytes(weight.dtype())},
      weight, matrix);
  return matrix;
}

Tensor repeat_bias(const Tensor& bias, int64_t taps) {
  if (!bias.defined()) return {};
  const int64_t count = bias.numel();
  Tensor repeated = Tensor::empty({taps * count}, bias.dtype(), bias.device());
  for (int64_t tap = 0; tap < taps; ++tap) {
    const Tensor part = repeated.slice(tap * count, (tap + 1) * count);
    dispatch_device(
        kOp, bias.device(), [&] { std::copy_n(bias.raw(), bias.bytes(), part.raw()); },
        [&](Stream) { copy_on_device(part.raw(), bias.raw(), bias.bytes(), bias.device()); });
  }
  return repeated;
}

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const LinearParams& params) {
  check_conv_transpose2d_weight(kOp, weight, bias);
  if (!input.defined() || input.rank() != 4 || input.size(3) != weight.size(3)) {
    throw ShapeError(fmt::format("[{}] input must be [N,H,W,{}]: input {}, weight {}", kOp,
                                 weight.size(3), input.describe(), weight.describe()));
  }
  if (input.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[{}] weight is {} but input is {}", kOp,
                                 dtype_name(weight.dtype()), input.describe()));
  }
  const Device device = common_device(kOp, {&input, &weight});
  const ConvTranspose2dGeometry g{.batch = input.size(0),
                                  .height = input.size(1),
                                  .width = input.size(2),
                                  .channels = input.size(3),
                                  .kernel_h = weight.size(1),
                                  .kernel_w = weight.size(2),
                                  .out_channels = weight.size(0)};
  Tensor output =
      Tensor::empty({g.batch, g.height * g.kernel_h, g.width * g.kernel_w, g.out_channels},
                    input.dtype(), device);
  if (output.numel() > 0) {
    if (input.dtype() == DType::kF64) {
      cpu::conv_transpose2d(g, params.relu, input.data<const double>(), weight.data<const double>(),
                            bias.defined() ? bias.data<const double>() : nullptr,
                            output.data<double>());
    } else {
      product_and_shuffle(input.detach(), weight.detach(), bias.detach(), params, g, output);
    }
  }
  return record(kOp, output, {input, weight, bias},
                backward_of(input, weight, bias, output, params, g));
}

}  // namespace mrcnn
