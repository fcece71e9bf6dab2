#include "models/fpn/fpn.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/pool/max_pool2d.h"
#include "kernels/shape/upsample_nearest_add.h"

namespace mrcnn {

Fpn::Fpn(const FpnLayers& layers, bool extra_level, const Execution& execution)
    : extra_level_(extra_level) {
  for (const ConvNorm& conv : layers.inner_blocks) inner_.push_back(fuse(conv, false, execution));
  for (const ConvNorm& conv : layers.layer_blocks) layer_.push_back(fuse(conv, false, execution));
}

std::vector<Tensor> Fpn::forward(const std::vector<Tensor>& maps) const {
  if (maps.size() != inner_.size()) {
    throw ShapeError("[fpn] " + std::to_string(maps.size()) + " maps for " +
                     std::to_string(inner_.size()) + " laterals");
  }
  std::vector<Tensor> outputs(maps.size());
  Tensor top;
  for (size_t i = maps.size(); i-- > 0;) {
    const Tensor lateral = inner_[i].run(maps[i]);
    top = top.defined() ? upsample_nearest_add(top, lateral) : lateral;
    outputs[i] = layer_[i].run(top);
  }
  if (extra_level_) {
    outputs.push_back(
        max_pool2d(outputs.back(), {.kernel = {1, 1}, .stride = {2, 2}, .padding = {0, 0}}));
  }
  return outputs;
}

}  // namespace mrcnn
