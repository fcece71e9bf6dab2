#include "models/detection/mask_head.h"

namespace mrcnn {

MaskHead::MaskHead(const MaskHeadLayers& layers)
    : predictor_(layers.upsample->weight(), layers.upsample->bias(), layers.logits->weight(),
                 layers.logits->bias()) {
  for (const ConvNorm& conv : layers.convs) convs_.push_back(fuse(conv, true));
}

Tensor MaskHead::forward(const Tensor& features, const Tensor& labels) const {
  Tensor x = features;
  for (const PreparedConv2d& conv : convs_) x = conv.run(x);
  return predictor_.run(x, labels);
}

}  // namespace mrcnn
