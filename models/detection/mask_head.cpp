#include "models/detection/mask_head.h"

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

}  // namespace mrcnn
