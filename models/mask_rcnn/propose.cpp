#include "models/mask_rcnn/propose.h"

#include <vector>

namespace mrcnn {

Proposals propose_boxes(const RpnOutput& rpn, std::span<const Tensor> base_anchors,
                        const ImageBatch& batch, const RpnProposalParams& params,
                        bool clip_to_padding) {
  const ImageSize padded{batch.pixels.size(1), batch.pixels.size(2)};
  const bool merged = !rpn.merged.empty();
  std::vector<RpnLevel> levels;
  for (size_t i = 0; i < base_anchors.size(); ++i) {
    const Tensor& logits = merged ? rpn.merged[i] : rpn.logits[i];
    // Integer division as in the references: the last FPN level of an 800 pixel high image has
    // stride 800 / 13 = 61, not 64.
    levels.push_back({.logits = logits,
                      .deltas = merged ? Tensor{} : rpn.deltas[i],
                      .base_anchors = base_anchors[i],
                      .stride_height = padded.height / logits.size(1),
                      .stride_width = padded.width / logits.size(2)});
  }
  if (batch.clip_sizes.defined()) return rpn_proposals(levels, batch.clip_sizes, params);
  const std::vector<ImageSize> padded_sizes(batch.resized.size(), padded);
  return rpn_proposals(levels, clip_to_padding ? padded_sizes : batch.resized, params);
}

}  // namespace mrcnn
