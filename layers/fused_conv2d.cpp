#include "layers/fused_conv2d.h"

#include <algorithm>

#include "kernels/norm/fold_batch_norm.h"

namespace mrcnn {
namespace {

Tensor with_input_channels(const Tensor& weight, int64_t channels) {
  if (channels <= weight.size(3)) return weight;
  Tensor padded =
      Tensor::zeros({weight.size(0), weight.size(1), weight.size(2), channels}, weight.dtype());
  const float* from = weight.data<const float>();
  float* to = padded.data<float>();
  for (int64_t tap = 0; tap < weight.numel() / weight.size(3); ++tap) {
    std::copy_n(from + tap * weight.size(3), weight.size(3), to + tap * channels);
  }
  return padded;
}

}  // namespace

PreparedConv2d fuse(const ConvNorm& layers, bool relu, const Execution& execution,
                    int64_t input_channels) {
  const Conv2dOptions& options = layers.conv->options();
  const Conv2dParams params{.stride = {options.stride, options.stride},
                            .padding = {options.padding, options.padding},
                            .relu = relu,
                            .tf32 = execution.tf32()};
  const auto prepare = [&](const Tensor& weight, const Tensor& bias) {
    return PreparedConv2d(place_weight(with_input_channels(weight, input_channels), execution),
                          place_bias(bias, execution), params);
  };
  if (layers.norm == nullptr) return prepare(layers.conv->weight(), layers.conv->bias());
  const BatchNorm2d& norm = *layers.norm;
  const FoldedConv folded = fold_batch_norm(layers.conv->weight(), layers.conv->bias(),
                                            {.weight = norm.weight(),
                                             .bias = norm.bias(),
                                             .running_mean = norm.running_mean(),
                                             .running_var = norm.running_var(),
                                             .eps = norm.eps()});
  return prepare(folded.weight, folded.bias);
}

}  // namespace mrcnn
