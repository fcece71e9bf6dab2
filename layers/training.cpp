#include "layers/training.h"

#include <optional>

#include "core/primitives.h"
#include "kernels/conv/conv2d.h"
#include "kernels/linalg/linear.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/fold_batch_norm.h"
#include "kernels/shape/pad_channels.h"

namespace mrcnn {
namespace {

constexpr double kMomentum = 0.1;  // of the running statistics; torch.nn.BatchNorm2d's default

}  // namespace

Tensor train_weight(const Tensor& weight, const Execution& execution) {
  return execution.precision == Precision::kBf16 ? cast(weight, DType::kBF16) : weight;
}

Tensor train_conv(const ConvNorm& layers, const Tensor& input, bool relu,
                  const Execution& execution, const Tensor& residual, const Tensor& labels) {
  const Conv2d& conv = *layers.conv;
  const Conv2dOptions& options = conv.options();
  Conv2dParams params{.stride = {options.stride, options.stride},
                      .padding = {options.padding, options.padding},
                      .relu = relu,
                      .tf32 = execution.tf32()};
  if (layers.norm == nullptr) {
    return conv2d(input, train_weight(conv.weight(), execution), conv.bias(), residual, params);
  }
  // An input that was filled up with channels of zeros (the photo on a GPU).
  const Tensor weight = input.size(3) > conv.weight().size(3)
                            ? pad_channels(conv.weight(), input.size(3))
                            : conv.weight();
  const BatchNorm2d& norm = *layers.norm;
  if (norm.kind() == NormKind::kFrozen) {
    std::optional<DType> rounded;
    if (execution.precision == Precision::kBf16) rounded = DType::kBF16;
    const FoldedConv folded = fold_batch_norm(weight, conv.bias(),
                                              {.weight = norm.weight(),
                                               .bias = norm.bias(),
                                               .running_mean = norm.running_mean(),
                                               .running_var = norm.running_var(),
                                               .eps = norm.eps()},
                                              rounded);
    return conv2d(input, folded.weight, folded.bias, residual, params);
  }
  params.relu = false;
  const Tensor product = conv2d(input, train_weight(weight, execution), conv.bias(), {}, params);
  norm.count_batch();
  return batch_norm(product, norm.weight(), norm.bias(),
                    {.mean = norm.running_mean(), .var = norm.running_var()}, residual,
                    {.eps = norm.eps(), .momentum = kMomentum, .relu = relu}, labels);
}

Tensor train_linear(const Linear& layer, const Tensor& input, bool relu,
                    const Execution& execution) {
  return linear(input, train_weight(layer.weight(), execution), layer.bias(),
                {.relu = relu, .tf32 = execution.tf32()});
}

}  // namespace mrcnn
