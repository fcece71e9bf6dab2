// Models and batches that are small enough to train in a test.
#pragma once

#include <cstdint>
#include <vector>

#include "core/primitives.h"
#include "core/random.h"
#include "data/masks/rle.h"
#include "models/mask_rcnn/training.h"
#include "models/zoo.h"
#include "tests/support/random_tensor.h"

namespace mrcnn::test {

// Noise with up to two objects that overlap and have holes.
inline TrainingImage noise_with_objects(uint64_t seed, ImageSize size, int64_t objects) {
  TrainingImage image;
  image.pixels = Tensor::empty({size.height, size.width, 3}, DType::kU8);
  const RandomStream stream{.seed = seed};
  uint64_t i = 0;
  for (uint8_t& value : image.pixels.span<uint8_t>()) {
    value = static_cast<uint8_t>(stream.word(i++));
  }
  image.placement = ImagePlacement::whole(size);
  image.boxes = Tensor::empty({objects, 4});
  image.labels = Tensor::empty({objects}, DType::kI32);
  constexpr float kParts[2][4] = {{2, 3, 20, 18}, {12, 9, 30, 31}};  // of 32
  const auto height = static_cast<float>(size.height), width = static_cast<float>(size.width);
  for (int64_t g = 0; g < objects; ++g) {
    float* box = image.boxes.data<float>() + g * 4;
    for (int c = 0; c < 4; ++c) box[c] = kParts[g][c] / 32 * (c % 2 == 0 ? width : height);
    image.labels.data<int32_t>()[g] = static_cast<int32_t>(g + 1);
    std::vector<uint8_t> bitmap(static_cast<size_t>(size.height * size.width), 0);
    for (int64_t y = 0; y < size.height; ++y) {
      for (int64_t x = 0; x < size.width; ++x) {
        const bool inside = static_cast<float>(x) >= box[0] && static_cast<float>(x) < box[2] &&
                            static_cast<float>(y) >= box[1] && static_cast<float>(y) < box[3];
        bitmap[static_cast<size_t>(y * size.width + x)] = inside && (x + y) % 5 != 0;
      }
    }
    image.masks.push_back(rle_from_bitmap(bitmap, size.height, size.width));
  }
  return image;
}

// A few dozen boxes around the objects of a square image and elsewhere. They stay what they are:
// proposals are constants of the losses, and which ones there are would jump with the weights.
inline Proposals fixed_proposals(int64_t images, int64_t side) {
  const int64_t count = 24;
  Proposals proposals{.boxes = Tensor::empty({images, count, 4}),
                      .scores = Tensor::zeros({images, count}),
                      .count = Tensor::empty({images}, DType::kI32)};
  fill_(proposals.count, static_cast<double>(count));
  const Tensor random = random_tensor({images * count, 4}, 8, 0, 1);
  for (int64_t i = 0; i < images * count; ++i) {
    const float* r = random.data<const float>() + i * 4;
    float* box = proposals.boxes.data<float>() + i * 4;
    box[0] = r[0] * 14;
    box[1] = r[1] * 14;
    box[2] = box[0] + 4 + r[2] * 14;
    box[3] = box[1] + 4 + r[3] * 14;
    for (int c = 0; c < 4; ++c) box[c] *= static_cast<float>(side) / 32;
  }
  return proposals;
}

inline MaskRcnnConfig shrunk(MaskRcnnConfig config) {
  config.channels = 16;
  config.box.hidden = 24;
  config.backbone.blocks = {1, 1, 1, 1};
  config.mask.num_convs = 2;
  config.training.rpn_samples = 32;
  config.training.roi_samples = 16;
  return config;
}

// A pyramid, batch norms everywhere and a convolutional box head.
inline MaskRcnnConfig small_pyramid() {
  MaskRcnnConfig config = shrunk(model_config("maskrcnn_resnet18_fpn", 3));
  config.neck_norm = NormKind::kBatch;
  // The last map is one pixel an image. Two pixels of nearly one value divided by their deviation
  // bend so sharply with the usual 1e-5 that no difference is a derivative, and enlarge rounding.
  config.backbone.norm_eps = 0.1;
  config.neck_norm_eps = 0.1;
  config.box.head = BoxHeadKind::kFourConvOneFc;
  return config;
}

// One map, frozen norms and the original system's losses.
inline MaskRcnnConfig small_one_map() {
  MaskRcnnConfig config = shrunk(model_config("maskrcnn_resnet50_c5", 3));
  config.backbone.block = BlockKind::kBasic;
  config.anchors.sizes = {{8, 16, 32}};
  return config;
}

}  // namespace mrcnn::test
