#include "models/detection/box_head.h"

#include "kernels/shape/concat.h"
#include "kernels/shape/split_channels.h"
#include "layers/training.h"

namespace mrcnn {
namespace {

// [R, 7, 7, C] -> [R, 49 * C]
Tensor flatten(const Tensor& maps) {
  return maps.reshape({maps.size(0), maps.size(1) * maps.size(2) * maps.size(3)});
}

}  // namespace

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
  x = flatten(x);
  for (const PreparedLinear& fc : fcs_) x = fc.run(x);
  return predictor_.run(x);
}

BoxHeadOutput BoxHead::forward(const Tensor& features) const {
  auto [logits, deltas] = split_channels(forward_merged(features), num_classes_);
  return {std::move(logits), std::move(deltas)};
}

BoxHeadOutput train_box_head(const BoxHeadLayers& layers, const Tensor& features,
                             const Tensor& labels, const Execution& execution) {
  Tensor x = features;
  for (const ConvNorm& conv : layers.convs) x = train_conv(conv, x, true, execution, {}, labels);
  x = flatten(x);
  for (const Linear* fc : layers.fcs) x = train_linear(*fc, x, true, execution);
  return {train_linear(*layers.class_score, x, false, execution),
          train_linear(*layers.box_deltas, x, false, execution)};
}

}  // namespace mrcnn
