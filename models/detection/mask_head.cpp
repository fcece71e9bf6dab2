#include "models/detection/mask_head.h"

#include "kernels/conv/class_conv.h"
#include "kernels/conv/conv_transpose2d.h"
#include "layers/training.h"

namespace mrcnn {

MaskHead::MaskHead(const MaskHeadLayers& layers, const Execution& execution)
    : predictor_(place_weight(layers.upsample->weight(), execution),
                 place_bias(layers.upsample->bias(), execution),
                 place_weight(layers.logits->weight(), execution),
                 place_bias(layers.logits->bias(), execution), execution.tf32()) {
  for (const ConvNorm& conv : layers.convs) convs_.push_back(fuse(conv, true, execution));
}

Tensor MaskHead::forward(const Tensor& features, const Tensor& labels) const {
  Tensor x = features;
  for (const PreparedConv2d& conv : convs_) x = conv.run(x);
  return predictor_.run(x, labels);
}

Tensor train_mask_head(const MaskHeadLayers& layers, const Tensor& features, const Tensor& labels,
                       const Execution& execution) {
  Tensor x = features;
  for (const ConvNorm& conv : layers.convs) x = train_conv(conv, x, true, execution, {}, labels);
  x = conv_transpose2d(x, train_weight(layers.upsample->weight(), execution),
                       layers.upsample->bias(), {.relu = true, .tf32 = execution.tf32()});
  return class_conv(x, train_weight(layers.logits->weight(), execution), layers.logits->bias(),
                    labels);
}

}  // namespace mrcnn
