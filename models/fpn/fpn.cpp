#include "models/fpn/fpn.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/pool/max_pool2d.h"
#include "kernels/shape/upsample_nearest_add.h"
#include "layers/training.h"

namespace mrcnn {
namespace {

// Every second pixel: the level above the last one.
constexpr MaxPool2dParams kExtraLevel{.kernel = {1, 1}, .stride = {2, 2}, .padding = {0, 0}};

void check_maps(size_t maps, size_t laterals) {
  if (maps != laterals) {
    throw ShapeError("[fpn] " + std::to_string(maps) + " maps for " + std::to_string(laterals) +
                     " laterals");
  }
}

}  // namespace

Fpn::Fpn(const FpnLayers& layers, bool extra_level, const Execution& execution)
    : extra_level_(extra_level) {
  for (const ConvNorm& conv : layers.inner_blocks) inner_.push_back(fuse(conv, false, execution));
  for (const ConvNorm& conv : layers.layer_blocks) layer_.push_back(fuse(conv, false, execution));
}

std::vector<Tensor> Fpn::forward(const std::vector<Tensor>& maps) const {
  check_maps(maps.size(), inner_.size());
  std::vector<Tensor> outputs(maps.size());
  Tensor top;
  for (size_t i = maps.size(); i-- > 0;) {
    const Tensor lateral = inner_[i].run(maps[i]);
    top = top.defined() ? upsample_nearest_add(top, lateral) : lateral;
    outputs[i] = layer_[i].run(top);
  }
  if (extra_level_) outputs.push_back(max_pool2d(outputs.back(), kExtraLevel));
  return outputs;
}

std::vector<Tensor> train_fpn(const FpnLayers& layers, bool extra_level,
                              const std::vector<Tensor>& maps, const Execution& execution) {
  check_maps(maps.size(), layers.inner_blocks.size());
  std::vector<Tensor> outputs(maps.size());
  Tensor top;
  for (size_t i = maps.size(); i-- > 0;) {
    const Tensor lateral = train_conv(layers.inner_blocks[i], maps[i], false, execution);
    top = top.defined() ? upsample_nearest_add(top, lateral) : lateral;
    outputs[i] = train_conv(layers.layer_blocks[i], top, false, execution);
  }
  if (extra_level) outputs.push_back(max_pool2d(outputs.back(), kExtraLevel));
  return outputs;
}

}  // namespace mrcnn
