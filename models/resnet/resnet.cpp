#include "models/resnet/resnet.h"

#include <utility>

#include "kernels/pool/max_pool2d.h"
#include "layers/training.h"

namespace mrcnn {
namespace {

constexpr MaxPool2dParams kStemPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};

Tensor train_block(const ResidualBlockLayers& block, const Tensor& input,
                   const Execution& execution) {
  const Tensor shortcut = block.downsample.conv != nullptr
                              ? train_conv(block.downsample, input, false, execution)
                              : input;
  Tensor x = input;
  for (size_t i = 0; i + 1 < block.convs.size(); ++i) {
    x = train_conv(block.convs[i], x, true, execution);
  }
  return train_conv(block.convs.back(), x, true, execution, shortcut);
}

}  // namespace

ResNet::ResNet(const ResNetLayers& layers, const Execution& execution, int64_t input_channels)
    : stem_(fuse(layers.stem, true, execution, input_channels)) {
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (const ResidualBlockLayers& source : layers.stages[s]) {
      Block block;
      for (const ConvNorm& conv : source.convs) block.convs.push_back(fuse(conv, true, execution));
      if (source.downsample.conv != nullptr)
        block.downsample.emplace(fuse(source.downsample, false, execution));
      stages_[s].push_back(std::move(block));
    }
  }
}

Tensor ResNet::Block::forward(Tensor input) const {
  Tensor x = convs.front().run(input);
  Tensor shortcut = downsample ? downsample->run(input) : std::move(input);
  for (size_t i = 1; i + 1 < convs.size(); ++i) x = convs[i].run(x);
  return convs.back().run_reusing(x, std::move(shortcut));  // adds the shortcut, then ReLU
}

std::vector<Tensor> ResNet::forward(const Tensor& batch, int first_kept) const {
  Tensor x = max_pool2d(stem_.run(batch), kStemPool);
  std::vector<Tensor> kept;
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (const Block& block : stages_[s]) x = block.forward(std::move(x));
    if (static_cast<int>(s) >= first_kept) kept.push_back(x);
  }
  return kept;
}

std::vector<Tensor> train_resnet(const ResNetLayers& layers, const Tensor& batch, int first_kept,
                                 const Execution& execution) {
  Tensor x = max_pool2d(train_conv(layers.stem, batch, true, execution), kStemPool);
  std::vector<Tensor> kept;
  for (size_t s = 0; s < layers.stages.size(); ++s) {
    for (const ResidualBlockLayers& block : layers.stages[s]) x = train_block(block, x, execution);
    if (static_cast<int>(s) >= first_kept) kept.push_back(x);
  }
  return kept;
}

}  // namespace mrcnn
