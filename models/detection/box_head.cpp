#include "models/detection/box_head.h"

#include "kernels/shape/concat.h"
#include "kernels/shape/split_channels.h"

namespace mrcnn {

BoxHead::BoxHead(const BoxHeadLayers& layers)
    : num_classes_(layers.class_score->weight().size(0)),
      predictor_(concat({layers.class_score->weight(), layers.box_deltas->weight()}),
                 concat({layers.class_score->bias(), layers.box_deltas->bias()}), false) {
  for (const ConvNorm& conv : layers.convs) convs_.push_back(fuse(conv, true));
  for (const Linear* fc : layers.fcs) fcs_.emplace_back(fc->weight(), fc->bias(), true);
}

BoxHeadOutput BoxHead::forward(const Tensor& features) const {
  Tensor x = features;
  for (const PreparedConv2d& conv : convs_) x = conv.run(x);
  const int64_t rois = x.size(0);
  x = x.reshape({rois, x.size(1) * x.size(2) * x.size(3)});
  for (const PreparedLinear& fc : fcs_) x = fc.run(x);
  auto [logits, deltas] = split_channels(predictor_.run(x), num_classes_);
  return {std::move(logits), std::move(deltas)};
}

}  // namespace mrcnn
