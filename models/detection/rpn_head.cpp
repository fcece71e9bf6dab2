#include "models/detection/rpn_head.h"

#include "kernels/shape/concat.h"
#include "kernels/shape/split_channels.h"
#include "layers/training.h"

namespace mrcnn {

RpnHead::RpnHead(const RpnHeadLayers& layers, const Execution& execution)
    : num_anchors_(layers.logits->out_channels()),
      predictor_(
          place_weight(concat({layers.logits->weight(), layers.deltas->weight()}), execution),
          place_bias(concat({layers.logits->bias(), layers.deltas->bias()}), execution),
          Conv2dParams{.tf32 = execution.tf32()}) {
  for (const Conv2d* conv : layers.convs) {
    convs_.push_back(fuse({conv, nullptr}, true, execution));
  }
}

RpnOutput RpnHead::forward(const std::vector<Tensor>& maps) const {
  RpnOutput output;
  for (const Tensor& map : maps) {
    Tensor x = map;
    for (const PreparedConv2d& conv : convs_) x = conv.run(x);
    x = predictor_.run(x);
    if (x.device().is_cuda()) {
      output.merged.push_back(std::move(x));
      continue;
    }
    auto [logits, deltas] = split_channels(x, num_anchors_);
    output.logits.push_back(std::move(logits));
    output.deltas.push_back(std::move(deltas));
  }
  return output;
}

RpnOutput train_rpn_head(const RpnHeadLayers& layers, const std::vector<Tensor>& maps,
                         const Execution& execution) {
  RpnOutput output;
  for (const Tensor& map : maps) {
    Tensor x = map;
    for (const Conv2d* conv : layers.convs) x = train_conv({conv, nullptr}, x, true, execution);
    output.logits.push_back(train_conv({layers.logits, nullptr}, x, false, execution));
    output.deltas.push_back(train_conv({layers.deltas, nullptr}, x, false, execution));
  }
  return output;
}

}  // namespace mrcnn
