#include "kernels/norm/fold_batch_norm.h"

#include <fmt/format.h>

#include <utility>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "fold_batch_norm";

void check_convolution(const Tensor& weight, const Tensor& bias) {
  if (!weight.defined() || weight.rank() < 1) {
    throw ShapeError(fmt::format("[{}] conv_weight must be [O, ...]: {}", kOp, weight.describe()));
  }
  if (weight.device().is_cpu()) {
    dispatch_float(kOp, weight.dtype(), [](auto) {});
  } else if (weight.dtype() != DType::kF32) {
    throw DTypeError(
        fmt::format("[{}] conv_weight must be f32 on a GPU: {}", kOp, weight.describe()));
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

void check_types(const Tensor& weight, const BatchNormConstants& bn, DType folded) {
  const bool on_gpu = weight.device().is_cuda();
  if (folded != weight.dtype() && !(on_gpu && folded == DType::kBF16)) {
    throw DTypeError(fmt::format("[{}] the folded weight cannot be {}: conv_weight {}", kOp,
                                 dtype_name(folded), weight.describe()));
  }
  if (on_gpu && bn.weight.dtype() != DType::kF32) {
    throw DTypeError(fmt::format("[{}] batch norm tensors must be f32 on a GPU: weight {}", kOp,
                                 bn.weight.describe()));
  }
}

// What a recorded call keeps.
BatchNormConstants detached(const BatchNormConstants& bn) {
  return {.weight = bn.weight.detach(),
          .bias = bn.bias.detach(),
          .running_mean = bn.running_mean.detach(),
          .running_var = bn.running_var.detach(),
          .eps = bn.eps};
}

cuda::BatchNormPointers pointers(const BatchNormConstants& bn) {
  return {.weight = bn.weight.pointer<const float>(),
          .bias = bn.bias.pointer<const float>(),
          .running_mean = bn.running_mean.pointer<const float>(),
          .running_var = bn.running_var.pointer<const float>(),
          .eps = bn.eps};
}

template <typename From>
void scale_to(const Tensor& tensor, int64_t channels, int64_t row_length,
              const BatchNormConstants& bn, const Tensor& scaled, Stream stream) {
  if (scaled.dtype() == DType::kF32) {
    cuda::scale_channels(channels, row_length, tensor.pointer<const From>(), pointers(bn),
                         scaled.pointer<float>(), stream);
  } else if constexpr (std::is_same_v<From, float>) {
    cuda::scale_channels(channels, row_length, tensor.pointer<const From>(), pointers(bn),
                         scaled.pointer<BFloat16>(), stream);
  }
}

// tensor [O, ...] times the scale of each channel.
Tensor times_scale(const Tensor& tensor, const BatchNormConstants& bn, DType dtype) {
  const Tensor scaled = Tensor::empty(tensor.shape(), dtype, tensor.device());
  const int64_t channels = tensor.size(0);
  const int64_t row_length = channels == 0 ? 0 : tensor.numel() / channels;
  dispatch_device(
      kOp, tensor.device(),
      [&] {
        const ChannelAffine affine = batch_norm_affine(kOp, bn, channels);
        dispatch_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::scale_channels(channels, row_length, tensor.data<const T>(), affine.scale.data(),
                              scaled.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, tensor.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          scale_to<T>(tensor, channels, row_length, bn, scaled, stream);
        });
      });
  return scaled;
}

Tensor folded_bias(const Tensor& conv_bias, const BatchNormConstants& bn, DType dtype,
                   Device device) {
  const int64_t channels = bn.weight.size(0);
  const Tensor bias = Tensor::empty({channels}, dtype, device);
  dispatch_device(
      kOp, device,
      [&] {
        const ChannelAffine affine = batch_norm_affine(kOp, bn, channels);
        dispatch_float(kOp, dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          for (int64_t c = 0; c < channels; ++c) {
            const double scale = affine.scale[static_cast<size_t>(c)];
            const double shift = affine.shift[static_cast<size_t>(c)];
            bias.data<T>()[c] = static_cast<T>(
                conv_bias.defined()
                    ? static_cast<double>(conv_bias.data<const T>()[c]) * scale + shift
                    : shift);
          }
        });
      },
      [&](Stream stream) {
        cuda::fold_bias(channels, conv_bias.defined() ? conv_bias.pointer<const float>() : nullptr,
                        pointers(bn), bias.pointer<float>(), stream);
      });
  return bias;
}

}  // namespace

FoldedConv fold_batch_norm(const Tensor& conv_weight, const Tensor& conv_bias,
                           const BatchNormConstants& bn, std::optional<DType> weight_dtype) {
  check_convolution(conv_weight, conv_bias);
  check_batch_norm(kOp, bn, conv_weight.size(0));
  common_device(
      kOp, {&conv_weight, &conv_bias, &bn.weight, &bn.bias, &bn.running_mean, &bn.running_var});
  const DType dtype = conv_weight.dtype(), folded = weight_dtype.value_or(dtype);
  check_types(conv_weight, bn, folded);
  const auto scaled = [bn = detached(bn), dtype](const Tensor& grad) {
    return std::vector<Tensor>{times_scale(grad, bn, dtype)};
  };
  return {.weight = record(kOp, times_scale(conv_weight, bn, folded), {conv_weight}, scaled),
          .bias = record(kOp, folded_bias(conv_bias, bn, dtype, conv_weight.device()), {conv_bias},
                         scaled)};
}

}  // namespace mrcnn
