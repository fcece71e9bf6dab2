#include "layers/fused_conv2d.h"

#include <algorithm>

#include "kernels/norm/fold_batch_norm.h"
#include "kernels/shape/pad_channels.h"

namespace mrcnn {

PreparedConv2d fuse(const ConvNorm& layers, bool relu, const Execution& execution,
                    int64_t input_channels) {
  const Conv2dOptions& options = layers.conv->options();
  const Conv2dParams params{.stride = {options.stride, options.stride},
                            .padding = {options.padding, options.padding},
                            .relu = relu,
                            .tf32 = execution.tf32()};
  const auto prepare = [&](const Tensor& weight, const Tensor& bias) {
    const Tensor padded = pad_channels(weight, std::max(input_channels, weight.size(3)));
    return PreparedConv2d(place_weight(padded, execution), place_bias(bias, execution), params);
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
