#include "layers/fused_conv2d.h"

#include "kernels/norm/fold_batch_norm.h"

namespace mrcnn {

PreparedConv2d fuse(const ConvNorm& layers, bool relu) {
  const Conv2dOptions& options = layers.conv->options();
  const Conv2dParams params{.stride = {options.stride, options.stride},
                            .padding = {options.padding, options.padding},
                            .relu = relu};
  if (layers.norm == nullptr) return {layers.conv->weight(), layers.conv->bias(), params};
  const BatchNorm2d& norm = *layers.norm;
  const FoldedConv folded = fold_batch_norm(layers.conv->weight(), layers.conv->bias(),
                                            {.weight = norm.weight(),
                                             .bias = norm.bias(),
                                             .running_mean = norm.running_mean(),
                                             .running_var = norm.running_var(),
                                             .eps = norm.eps()});
  return {folded.weight, folded.bias, params};
}

}  // namespace mrcnn
