// A small Mask R-CNN that computes each image by itself, and batches for it.
#pragma once

#include <cstdint>
#include <utility>

#include "core/random.h"
#include "data/loader/loader.h"
#include "data/masks/rle.h"
#include "data/shapes/shapes.h"
#include "models/mask_rcnn/config.h"
#include "models/zoo.h"
#include "tools/trainer/train_config.h"

namespace mrcnn::test {

inline constexpr int64_t kSmallSide = 64;  // of its images

inline MaskRcnnConfig small_model_config(const TrainConfig& config) {
  MaskRcnnConfig model = model_config("maskrcnn_resnet18_fpn", 6);
  model.backbone.norm = NormKind::kFrozen;
  model.backbone.blocks = {1, 1, 1, 1};
  model.channels = 16;
  model.box.hidden = 24;
  model.mask.num_convs = 1;
  model.input.resize.min_size = model.input.resize.max_size = kSmallSide;
  model.training.normalisation = config.loss_mean;
  model.training.rpn_samples = 32;
  model.training.roi_samples = 16;
  model.training.pre_nms_top_n = model.training.post_nms_top_n = 40;
  return model;
}

inline TrainConfig small_train_config() {
  TrainConfig config;
  config.loss_mean = LossNormalisation::kImage;
  config.freeze_stages = 0;
  config.seed = 4;
  return config;
}

// Shapes, the images `first` to `first + count` - 1; their ids are 100 + index.
inline LoadedBatch small_batch(int64_t first, int64_t count) {
  LoadedBatch batch;
  for (int64_t i = first; i < first + count; ++i) {
    ShapesImage image = generate_shapes({.seed = 3, .height = kSmallSide, .width = kSmallSide}, i);
    Sample sample;
    sample.index = i;
    sample.image_id = 100 + i;
    sample.pixels = image.pixels;
    sample.augmentation.min_size = kSmallSide;
    const auto objects = static_cast<int64_t>(image.objects.size());
    sample.boxes = Tensor::zeros(Shape{objects, 4});
    sample.labels = Tensor::empty(Shape{objects}, DType::kI32);
    for (int64_t g = 0; g < objects; ++g) {
      ShapesObject& object = image.objects[static_cast<size_t>(g)];
      const PixelBox box = rle_bbox(object.mask);
      float* out = sample.boxes.data<float>() + g * 4;
      out[0] = static_cast<float>(box.x);
      out[1] = static_cast<float>(box.y);
      out[2] = static_cast<float>(box.x + box.width);
      out[3] = static_cast<float>(box.y + box.height);
      sample.labels.data<int32_t>()[g] = static_cast<int32_t>(object.label);
      sample.masks.push_back(std::move(object.mask));
    }
    batch.samples.push_back(std::move(sample));
  }
  return batch;
}

}  // namespace mrcnn::test
