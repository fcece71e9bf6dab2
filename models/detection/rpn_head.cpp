#include "models/detection/rpn_head.h"

#include "kernels/shape/concat.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn {

RpnHead::RpnHead(const RpnHeadLayers& layers)
    : num_anchors_(layers.logits->out_channels()),
      predictor_(concat({layers.logits->weight(), layers.deltas->weight()}),
                 concat({layers.logits->bias(), layers.deltas->bias()}), Conv2dParams{}) {
  for (const Conv2d* conv : layers.convs) convs_.push_back(fuse({conv, nullptr}, true));
}

RpnOutput RpnHead::forward(const std::vector<Tensor>& maps) const {
  RpnOutput output;
  for (const Tensor& map : maps) {
    Tensor x = map;
    for (const PreparedConv2d& conv : convs_) x = conv.run(x);
    auto [logits, deltas] = split_channels(predictor_.run(x), num_anchors_);
    output.logits.push_back(std::move(logits));
    output.deltas.push_back(std::move(deltas));
  }
  return output;
}

}  // namespace mrcnn
