#include "kernels/norm/frozen_batch_norm.h"

#include <fmt/format.h>

#include <vector>

#include "core/dispatch.h"
#include "core/error.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "frozen_batch_norm";

void check_inputs(const Tensor& input, const Tensor& residual) {
  if (!input.defined() || input.rank() < 1) {
    throw ShapeError(fmt::format("[{}] input must be [..., C]: {}", kOp, input.describe()));
  }
  if (!residual.defined()) return;
  if (residual.shape() != input.shape()) {
    throw ShapeError(fmt::format("[{}] residual and input differ in shape: {}, {}", kOp,
                                 residual.describe(), input.describe()));
  }
  if (residual.dtype() != input.dtype()) {
    throw DTypeError(fmt::format("[{}] residual and input differ in type: {}, {}", kOp,
                                 residual.describe(), input.describe()));
  }
}

template <typename T>
std::vector<T> rounded(const std::vector<double>& values) {
  std::vector<T> result;
  for (const double value : values) result.push_back(static_cast<T>(value));
  return result;
}

// The tensors of one call. residual is null if there is none.
struct Call {
  const Tensor& input;
  const BatchNormConstants& bn;
  const FrozenBatchNormParams& params;
  const Tensor& output;

  int64_t channels() const { return input.size(-1); }
  int64_t pixels() const { return channels() == 0 ? 0 : input.numel() / channels(); }
  template <typename T>
  const T* residual() const {
    return params.residual.defined() ? params.residual.pointer<const T>() : nullptr;
  }
};

void run_on_cpu(const Call& call) {
  const ChannelAffine affine = batch_norm_affine(kOp, call.bn, call.channels());
  dispatch_float(kOp, call.input.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::vector<T> scale = rounded<T>(affine.scale);
    const std::vector<T> shift = rounded<T>(affine.shift);
    cpu::frozen_batch_norm(call.pixels(), call.channels(), call.params.relu,
                           call.input.data<const T>(), scale.data(), shift.data(),
                           call.residual<T>(), call.output.data<T>());
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
    const Tensor affine = Tensor::empty({2, call.channels()}, DType::kF32, call.input.device());
    float* const scale = affine.pointer<float>();
    float* const shift = scale + call.channels();
    cuda::frozen_batch_norm_affine(call.channels(), bn.eps, bn.weight.pointer<const float>(),
                                   bn.bias.pointer<const float>(),
                                   bn.running_mean.pointer<const float>(),
                                   bn.running_var.pointer<const float>(), scale, shift, stream);
    cuda::frozen_batch_norm(call.pixels(), call.channels(), call.params.relu,
                            call.input.pointer<const T>(), scale, shift, call.residual<T>(),
                            call.output.pointer<T>(), stream);
  });
}

}  // namespace

Tensor frozen_batch_norm(const Tensor& input, const BatchNormConstants& bn,
                         const FrozenBatchNormParams& params) {
  check_inputs(input, params.residual);
  check_batch_norm(kOp, bn, input.size(-1));
  const Device device = common_device(
      kOp, {&input, &params.residual, &bn.weight, &bn.bias, &bn.running_mean, &bn.running_var});
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), device);
  const Call call{.input = input, .bn = bn, .params = params, .output = output};
  dispatch_device(
      kOp, device, [&] { run_on_cpu(call); }, [&](Stream stream) { run_on_cuda(call, stream); });
  return output;
}

}  // namespace mrcnn
