#include "kernels/norm/frozen_batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/norm/checks.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "frozen_batch_norm";

template <typename T>
T* pointer_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.pointer<T>() : nullptr;
}

// The tensors of one call.
struct Call {
  const Tensor& input;
  const BatchNormConstants& bn;
  const FrozenBatchNormParams& params;
  const Tensor& affine;  // [2, C], filled here: scale and shift
  const Tensor& output;

  int64_t channels() const { return input.size(-1); }
  int64_t pixels() const { return channels() == 0 ? 0 : input.numel() / channels(); }
};

void run_on_cpu(const Call& call) {
  const ChannelAffine affine = batch_norm_affine(kOp, call.bn, call.channels());
  dispatch_float(kOp, call.input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto rounded = [](double value) { return static_cast<T>(value); };
    T* const scale = call.affine.data<T>();
    T* const shift = scale + call.channels();
    std::transform(affine.scale.begin(), affine.scale.end(), scale, rounded);
    std::transform(affine.shift.begin(), affine.shift.end(), shift, rounded);
    cpu::frozen_batch_norm(call.pixels(), call.channels(), call.params.relu,
                           call.input.data<const T>(), scale, shift,
                           pointer_or_null<const T>(call.params.residual), call.output.data<T>());
  });
}

void run_on_cuda(const Call& call, Stream stream) {
  const BatchNormConstants& bn = call.bn;
  if (bn.weight.dtype() != DType::kF32) {
    throw DTypeError(fmt::format("[{}] batch norm tensors must be f32 on a GPU: weight {}", kOp,
                                 bn.weight.describe()));
  }
  dispatch_cuda_float(kOp, call.input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    float* const scale = call.affine.pointer<float>();
    float* const shift = scale + call.channels();
    cuda::frozen_batch_norm_affine(call.channels(), bn.eps, bn.weight.pointer<const float>(),
                                   bn.bias.pointer<const float>(),
                                   bn.running_mean.pointer<const float>(),
                                   bn.running_var.pointer<const float>(), scale, shift, stream);
    cuda::frozen_batch_norm(
        call.pixels(), call.channels(), call.params.relu, call.input.pointer<const T>(), scale,
        shift, pointer_or_null<const T>(call.params.residual), call.output.pointer<T>(), stream);
  });
}

// What the gradient needs of the forward pass.
struct Saved {
  Tensor output;  // undefined without ReLU
  Tensor scale;   // in the first row
  bool with_input = false;
  bool with_residual = false;
};

std::vector<Tensor> run_backward(const Saved& saved, const Tensor& grad_output) {
  const auto map = [&](bool is_wanted) {
    return is_wanted ? Tensor::empty(grad_output.shape(), grad_output.dtype(), grad_output.device())
                     : Tensor{};
  };
  const bool has_relu = saved.output.defined();
  const Tensor grad_input = map(saved.with_input);
  const Tensor masked = map(saved.with_residual && has_relu);
  const int64_t channels = grad_output.size(-1);
  const int64_t pixels = channels == 0 ? 0 : grad_output.numel() / channels;
  dispatch_device(
      kOp, grad_output.device(),
      [&] {
        dispatch_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::frozen_batch_norm_backward(
              pixels, channels, grad_output.data<const T>(), pointer_or_null<const T>(saved.output),
              saved.scale.data<const T>(), pointer_or_null<T>(grad_input),
              pointer_or_null<T>(masked));
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, grad_output.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::frozen_batch_norm_backward(
              pixels, channels, grad_output.pointer<const T>(),
              pointer_or_null<const T>(saved.output), saved.scale.pointer<const float>(),
              pointer_or_null<T>(grad_input), pointer_or_null<T>(masked), stream);
        });
      });
  const Tensor& grad_residual = has_relu ? masked : grad_output;
  return {grad_input, saved.with_residual ? grad_residual : Tensor{}};
}

}  // namespace

Tensor frozen_batch_norm(const Tensor& input, const BatchNormConstants& bn,
                         const FrozenBatchNormParams& params) {
  check_norm_maps(kOp, input, params.residual);
  check_batch_norm(kOp, bn, input.size(-1));
  const Device device = common_device(
      kOp, {&input, &params.residual, &bn.weight, &bn.bias, &bn.running_mean, &bn.running_var});
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), device);
  const DType constants = device.is_cpu() ? input.dtype() : DType::kF32;
  const Tensor affine = Tensor::empty({2, input.size(-1)}, constants, device);
  const Call call{.input = input, .bn = bn, .params = params, .affine = affine, .output = output};
  dispatch_device(
      kOp, device, [&] { run_on_cpu(call); }, [&](Stream stream) { run_on_cuda(call, stream); });
  const Saved saved{.output = params.relu ? output : Tensor{},
                    .scale = affine,
                    .with_input = needs_grad(input),
                    .with_residual = needs_grad(params.residual)};
  return record(kOp, output, {input, params.residual},
                [saved](const Tensor& grad_output) { return run_backward(saved, grad_output); });
}

}  // namespace mrcnn
