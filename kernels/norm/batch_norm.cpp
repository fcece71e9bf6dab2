#include "kernels/norm/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/autograd/record.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "kernels/norm/batch_norm_affine.h"
#include "kernels/norm/batch_norm_backward.h"
#include "kernels/norm/checks.h"
#include "kernels/norm/frozen_batch_norm.h"

namespace mrcnn {
namespace {

constexpr const char* kOp = "batch_norm";

void check_channels(const Tensor& input, const Tensor& weight, const Tensor& bias,
                    const BatchNormRunning& running, const BatchNormParams& params) {
  check_batch_norm(kOp,
                   {.weight = weight,
                    .bias = bias,
                    .running_mean = running.mean,
                    .running_var = running.var,
                    .eps = params.eps},
                   input.size(-1));
  const DType wanted = input.device().is_cpu() ? input.dtype() : DType::kF32;
  if (weight.dtype() != wanted) {
    throw DTypeError(fmt::format("[{}] weight, bias and running statistics must be {}: weight {}",
                                 kOp, dtype_name(wanted), weight.describe()));
  }
  if (!(params.momentum >= 0 && params.momentum <= 1)) {
    throw UsageError(fmt::format("[{}] momentum {} is not in 0..1", kOp, params.momentum));
  }
  if (needs_grad(running.mean) || needs_grad(running.var)) {
    throw UsageError(
        fmt::format("[{}] running statistics are changed in place and cannot have "
                    "gradients: running_mean {}",
                    kOp, running.mean.describe()));
  }
}

void check_labels(const Tensor& input, const Tensor& residual, const Tensor& labels) {
  if (!labels.defined()) return;
  if (labels.dtype() != DType::kI32) {
    throw DTypeError(fmt::format("[{}] labels must be i32: {}", kOp, labels.describe()));
  }
  const int64_t rows = input.size(0);
  if (input.rank() < 2 || labels.shape() != Shape{rows} || residual.defined() ||
      (input.numel() > 0 && input.numel() / input.size(-1) < 2 * rows)) {
    throw ShapeError(
        fmt::format("[{}] labels must be one per row of the input, each of two pixels or more, "
                    "without a residual: labels {}, input {}, residual {}",
                    kOp, labels.describe(), input.describe(), residual.describe()));
  }
}

// On the CPU, where all can be seen, labels that leave nothing out are none.
Tensor needed_labels(const Tensor& labels) {
  if (!labels.defined() || labels.device().is_cuda()) return labels.detach();
  const auto values = labels.span<const int32_t>();
  const bool any = std::any_of(values.begin(), values.end(), [](int32_t v) { return v < 0; });
  return any ? labels.detach() : Tensor{};
}

BatchNormGeometry geometry_of(const Tensor& input, const Tensor& labels) {
  const int64_t channels = input.size(-1);
  const int64_t pixels = channels == 0 ? 0 : input.numel() / channels;
  if (pixels == 1) {
    throw ShapeError(
        fmt::format("[{}] one pixel has no variance: train with more than one value per channel, "
                    "or use the running statistics: input {}",
                    kOp, input.describe()));
  }
  BatchNormGeometry geometry = batch_norm_geometry(pixels, channels);
  if (labels.defined() && pixels > 0) {
    geometry.labels = labels.pointer<const int32_t>();
    geometry.row_pixels = pixels / input.size(0);
  }
  return geometry;
}

template <typename T>
T* pointer_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.pointer<T>() : nullptr;
}

// Sums are in double on the CPU; a GPU's are f32, added up in double.
Tensor partial_sums(const BatchNormGeometry& geometry, Device device) {
  return Tensor::empty({geometry.chunks, 2, geometry.channels},
                       device.is_cpu() ? DType::kF64 : DType::kF32, device);
}

// What the gradient needs of the forward pass.
struct Saved {
  BatchNormGeometry geometry;
  Tensor input;
  Tensor output;  // undefined without ReLU
  Tensor weight;
  Tensor statistics;
  Tensor labels;  // what the geometry points to
};

struct Needed {
  bool input = false;
  bool weight = false;
  bool bias = false;
  bool residual = false;
};

// Returns the statistics.
Tensor run_forward(const BatchNormGeometry& geometry, const BatchNormParams& params,
                   const Tensor& input, const Tensor& weight, const Tensor& bias,
                   const BatchNormRunning& running, const Tensor& residual, const Tensor& output) {
  const Device device = input.device();
  const int64_t channels = geometry.channels;
  const Tensor partials = partial_sums(geometry, device);
  const Tensor statistics = Tensor::empty({2, channels}, weight.dtype(), device);
  const Tensor affine = Tensor::empty({2, channels}, weight.dtype(), device);
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::batch_norm_moments(geometry, input.data<const T>(), partials.data<double>());
          T* const scale = affine.data<T>();
          cpu::batch_norm_statistics(geometry, params, partials.data<const double>(),
                                     weight.data<const T>(), bias.data<const T>(),
                                     running.mean.data<T>(), running.var.data<T>(),
                                     statistics.data<T>(), scale);
          cpu::frozen_batch_norm(geometry.pixels, channels, params.relu, input.data<const T>(),
                                 scale, scale + channels, pointer_or_null<const T>(residual),
                                 output.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::batch_norm_moments(geometry, input.pointer<const T>(), partials.pointer<float>(),
                                   stream);
          float* const scale = affine.pointer<float>();
          cuda::batch_norm_statistics(geometry, params, partials.pointer<const float>(),
                                      weight.pointer<const float>(), bias.pointer<const float>(),
                                      running.mean.pointer<float>(), running.var.pointer<float>(),
                                      statistics.pointer<float>(), scale, stream);
          cuda::frozen_batch_norm(geometry.pixels, channels, params.relu, input.pointer<const T>(),
                                  scale, scale + channels, pointer_or_null<const T>(residual),
                                  output.pointer<T>(), stream);
        });
      });
  return statistics;
}

std::vector<Tensor> run_backward(const Saved& saved, const Needed& needed,
                                 const Tensor& grad_output) {
  const auto& [geometry, input, output, weight, statistics, labels] = saved;
  const Device device = input.device();
  const auto like = [&](const Tensor& tensor) {
    return Tensor::empty(tensor.shape(), tensor.dtype(), device);
  };
  const Tensor grad_input = needed.input ? like(input) : Tensor{};
  const Tensor grad_weight = like(weight), grad_bias = like(weight);
  const Tensor masked = needed.residual && output.defined() ? like(input) : Tensor{};
  const Tensor partials = partial_sums(geometry, device);
  const Tensor coefficients = Tensor::empty({3, geometry.channels}, weight.dtype(), device);
  // The second pass over the maps reads g where the first one wrote it.
  const Tensor& g = masked.defined() ? masked : grad_output;
  const Tensor mask = masked.defined() ? Tensor{} : output;
  dispatch_device(
      kOp, device,
      [&] {
        dispatch_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cpu::batch_norm_backward_sums(geometry, grad_output.data<const T>(),
                                        pointer_or_null<const T>(output), input.data<const T>(),
                                        statistics.data<const T>(), pointer_or_null<T>(masked),
                                        partials.data<double>());
          cpu::batch_norm_backward_channels(geometry, partials.data<const double>(),
                                            weight.data<const T>(), statistics.data<const T>(),
                                            coefficients.data<T>(), grad_weight.data<T>(),
                                            grad_bias.data<T>());
          if (!needed.input) return;
          cpu::batch_norm_backward(geometry, g.data<const T>(), pointer_or_null<const T>(mask),
                                   input.data<const T>(), statistics.data<const T>(),
                                   coefficients.data<const T>(), grad_input.data<T>());
        });
      },
      [&](Stream stream) {
        dispatch_cuda_float(kOp, input.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          cuda::batch_norm_backward_sums(
              geometry, grad_output.pointer<const T>(), pointer_or_null<const T>(output),
              input.pointer<const T>(), statistics.pointer<const float>(),
              pointer_or_null<T>(masked), partials.pointer<float>(), stream);
          cuda::batch_norm_backward_channels(
              geometry, partials.pointer<const float>(), weight.pointer<const float>(),
              statistics.pointer<const float>(), coefficients.pointer<float>(),
              grad_weight.pointer<float>(), grad_bias.pointer<float>(), stream);
          if (!needed.input) return;
          cuda::batch_norm_backward(geometry, g.pointer<const T>(), pointer_or_null<const T>(mask),
                                    input.pointer<const T>(), statistics.pointer<const float>(),
                                    coefficients.pointer<const float>(), grad_input.pointer<T>(),
                                    stream);
        });
      });
  return {grad_input, needed.weight ? grad_weight : Tensor{}, needed.bias ? grad_bias : Tensor{},
          needed.residual ? g : Tensor{}};
}

// Of an input without pixels.
std::vector<Tensor> zero_gradients(const Tensor& input, const Tensor& weight, bool with_residual) {
  const auto zeros = [&](const Tensor& tensor) {
    return Tensor::zeros(tensor.shape(), tensor.dtype(), tensor.device());
  };
  return {zeros(input), zeros(weight), zeros(weight), with_residual ? zeros(input) : Tensor{}};
}

}  // namespace

Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const BatchNormRunning& running, const Tensor& residual,
                  const BatchNormParams& params, const Tensor& labels) {
  check_norm_maps(kOp, input, residual);
  check_channels(input, weight, bias, running, params);
  check_labels(input, residual, labels);
  const Device device =
      common_device(kOp, {&input, &weight, &bias, &running.mean, &running.var, &residual, &labels});
  const Tensor kept_labels = needed_labels(labels);
  const BatchNormGeometry geometry = geometry_of(input, kept_labels);
  const Tensor output = Tensor::empty(input.shape(), input.dtype(), device);
  const std::vector<Tensor> inputs = {input, weight, bias, residual};
  if (geometry.pixels == 0) {
    return record(
        kOp, output, inputs,
        [input = input.detach(), weight = weight.detach(), with_residual = residual.defined()](
            const Tensor&) { return zero_gradients(input, weight, with_residual); });
  }
  const Tensor statistics =
      run_forward(geometry, params, input, weight, bias, running, residual, output);
  const Saved saved{.geometry = geometry,
                    .input = input.detach(),
                    .output = params.relu ? output : Tensor{},
                    .weight = weight.detach(),
                    .statistics = statistics,
                    .labels = kept_labels};
  const Needed needed{.input = needs_grad(input),
                      .weight = needs_grad(weight),
                      .bias = needs_grad(bias),
                      .residual = residual.defined() && needs_grad(residual)};
  return record(kOp, output, inputs, [saved, needed](const Tensor& grad_output) {
    return run_backward(saved, needed, grad_output);
  });
}

}  // namespace mrcnn
