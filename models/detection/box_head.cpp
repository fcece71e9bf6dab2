#include "models/detection/box_head.h"

#include "kernels/shape/concat.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn {

BoxHead::BoxHead(const BoxHeadLayers& layers, const Execution& execution)
    : num_classes_(layers.class_score->weight().size(0)),
      predictor_(
          place_weight(concat({layers.class_score->weight(), layers.box_deltas->weight()}),
                       execution),
          place_bias(concat({layers.class_score->bias(), layers.box_deltas->bias()}), execution),
          {.tf32 = execution.tf32()}) {
  for (const ConvNorm& conv : layers.convs) convs_.push_back(fuse(conv, true, execution));
  for (const Linear* fc : layers.fcs) {
    fcs_.emplace_back(place_weight(fc->weight(), execution), place_bias(fc->bias(), execution),
                      LinearParams{.relu = true, .tf32 = execution.tf32()});
  }
}

Tensor BoxHead::forward_merged(const Tensor& features) const {
  Tensor x = features;
  for (const PreparedConv2d& conv : convs_) x = conv.run(x);
  const int64_t rois = x.size(0);
  x = x.reshape({rois, x.size(1) * x.size(2) * x.size(3)});
  for (const PreparedLinear& fc : fcs_) x = fc.run(x);
  return predictor_.run(x);
}

BoxHeadOutput BoxHead::forward(const Tensor& features) const {
  auto [logits, deltas] = split_channels(forward_merged(features), num_classes_);
  return {std::move(logits), std::move(deltas)};
}

}  // namespace mrcnn
