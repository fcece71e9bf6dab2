#include "kernels/norm/fold_batch_norm.h"

#include <fmt/format.h>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "fold_batch_norm";

void check_convolution(const Tensor& weight, const Tensor& bias) {
  require_cpu(kOp, {&weight, &bias});
  if (!weight.defined() || weight.rank() < 1) {
    throw ShapeError(fmt::format("[{}] conv_weight must be [O, ...]: {}", kOp, weight.describe()));
  }
  if (!bias.defined()) return;
  if (bias.shape() != Shape{weight.size(0)}) {
    throw ShapeError(
        fmt::format("[{}] conv_bias must be [{}]: {}", kOp, weight.size(0), bias.describe()));
  }
  if (bias.dtype() != weight.dtype()) {
    throw DTypeError(fmt::format("[{}] conv_weight and conv_bias differ in type: {}, {}", kOp,
                                 weight.describe(), bias.describe()));
  }
}

}  // namespace

FoldedConv fold_batch_norm(const Tensor& conv_weight, const Tensor& conv_bias,
                           const BatchNormConstants& bn) {
  check_convolution(conv_weight, conv_bias);
  const int64_t channels = conv_weight.size(0);
  const ChannelAffine affine = batch_norm_affine(kOp, bn, channels);
  FoldedConv folded;
  dispatch_float(kOp, conv_weight.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    folded.weight = Tensor::empty(conv_weight.shape(), conv_weight.dtype());
    folded.bias = Tensor::empty(Shape{channels}, conv_weight.dtype());
    cpu::fold_batch_norm<T>(channels, channels == 0 ? 0 : conv_weight.numel() / channels,
                            conv_weight.data<const T>(),
                            conv_bias.defined() ? conv_bias.data<const T>() : nullptr, affine,
                            folded.weight.data<T>(), folded.bias.data<T>());
  });
  return folded;
}

}  // namespace mrcnn
