#include "models/mask_rcnn/training_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/image_sizes.h"
#include "kernels/image/resize_normalize_pad.h"
#include "models/mask_rcnn/input_channels.h"

namespace mrcnn {
namespace {

// The objects of one image that are seen in the network's input.
struct VisibleObjects {
  std::vector<float> boxes;  // 4 each, network pixels
  std::vector<int32_t> labels;
  std::vector<Rle> masks;
};

void check_image(size_t n, const TrainingImage& image) {
  const bool pixels_fit = image.pixels.defined() && image.pixels.rank() == 3 &&
                          image.pixels.size(2) == 3 && image.pixels.dtype() == DType::kU8;
  const int64_t count = image.labels.defined() ? image.labels.numel() : -1;
  const bool objects_fit = image.boxes.defined() && image.boxes.shape() == Shape{count, 4} &&
                           static_cast<int64_t>(image.masks.size()) == count;
  if (!pixels_fit || !objects_fit) {
    throw ShapeError(fmt::format(
        "[training_batch] image {}: pixels must be [H,W,3] u8, boxes [G,4], with G labels and "
        "masks: {}, {}, {}, {} masks",
        n, image.pixels.describe(), image.boxes.describe(), image.labels.describe(),
        image.masks.size()));
  }
}

VisibleObjects visible_objects(const TrainingImage& image, SizeRule rule) {
  const Tensor placed =
      place_boxes(image.boxes, {image.pixels.size(0), image.pixels.size(1)}, image.placement, rule);
  VisibleObjects objects;
  for (int64_t g = 0; g < placed.size(0); ++g) {
    const float* box = placed.data<const float>() + g * 4;
    if (!(box[2] > box[0] && box[3] > box[1])) continue;
    objects.boxes.insert(objects.boxes.end(), box, box + 4);
    objects.labels.push_back(image.labels.data<const int32_t>()[g]);
    objects.masks.push_back(image.masks[static_cast<size_t>(g)]);
  }
  return objects;
}

ImageSize padded_canvas(std::span<const TrainingImage> images, ImageSize canvas, int64_t divisor) {
  for (const TrainingImage& image : images) {
    canvas.height = std::max(canvas.height, image.placement.visible.height);
    canvas.width = std::max(canvas.width, image.placement.visible.width);
  }
  return {(canvas.height + divisor - 1) / divisor * divisor,
          (canvas.width + divisor - 1) / divisor * divisor};
}

ImageBatch place_images(std::span<const TrainingImage> images, const MaskRcnnConfig& config,
                        const Execution& execution, ImageSize canvas) {
  const ImageSize padded = padded_canvas(images, canvas, config.input.normalization.size_divisor);
  ImageBatch batch;
  std::vector<Tensor> pixels;
  std::vector<ImagePlacement> placements;
  for (const TrainingImage& image : images) {
    batch.original.push_back({image.pixels.size(0), image.pixels.size(1)});
    batch.resized.push_back(image.placement.visible);
    pixels.push_back(copy_to(image.pixels, execution.device));
    placements.push_back(image.placement);
  }
  batch.pixels = Tensor::empty(
      {static_cast<int64_t>(images.size()), padded.height, padded.width, input_channels(execution)},
      execution.activations(), execution.device);
  resize_normalize_pad_into(pixels, placements, config.input.normalization, batch.pixels);
  if (execution.device.is_cuda()) {
    batch.clip_sizes = image_size_tensor(batch.resized, execution.device);
  }
  return batch;
}

}  // namespace

Tensor place_boxes(const Tensor& boxes, ImageSize original, const ImagePlacement& placement,
                   SizeRule rule) {
  const auto scaled = [rule](float value, int64_t to, int64_t from) {
    const auto new_side = static_cast<float>(to), old_side = static_cast<float>(from);
    return rule == SizeRule::kOriginalRound ? value * new_side / old_side
                                            : value * (new_side / old_side);
  };
  const auto cut = [](float value, int64_t crop, int64_t visible) {
    return std::clamp(value - static_cast<float>(crop), 0.0F, static_cast<float>(visible));
  };
  const auto x = [&](float value) {
    return cut(scaled(value, placement.resized.width, original.width), placement.crop_left,
               placement.visible.width);
  };
  const auto y = [&](float value) {
    return cut(scaled(value, placement.resized.height, original.height), placement.crop_top,
               placement.visible.height);
  };
  const auto width = static_cast<float>(original.width);
  Tensor placed = Tensor::empty(boxes.shape());
  for (int64_t g = 0; g < boxes.size(0); ++g) {
    const float* in = boxes.data<const float>() + g * 4;
    float* out = placed.data<float>() + g * 4;
    out[0] = x(placement.flip ? width - in[2] : in[0]);
    out[1] = y(in[1]);
    out[2] = x(placement.flip ? width - in[0] : in[2]);
    out[3] = y(in[3]);
  }
  return placed;
}

TrainingBatch make_training_batch(std::span<const TrainingImage> images,
                                  const MaskRcnnConfig& config, const Execution& execution,
                                  ImageSize canvas) {
  if (images.empty()) throw ShapeError("[training_batch] no images");
  std::vector<std::vector<Rle>> masks;
  std::vector<ImagePlacement> placements;
  std::vector<VisibleObjects> objects;
  int64_t most = 0;
  for (size_t n = 0; n < images.size(); ++n) {
    const TrainingImage& image = images[n];
    check_image(n, image);
    objects.push_back(visible_objects(image, config.input.resize.rule));
    masks.push_back(std::move(objects.back().masks));
    placements.push_back(image.placement);
    most = std::max(most, static_cast<int64_t>(objects.back().labels.size()));
  }
  const auto count = static_cast<int64_t>(images.size());
  const Tensor boxes = Tensor::zeros({count, most, 4});
  const Tensor labels = Tensor::zeros({count, most}, DType::kI32);
  const Tensor counts = Tensor::zeros({count}, DType::kI32);
  for (int64_t n = 0; n < count; ++n) {
    const VisibleObjects& seen = objects[static_cast<size_t>(n)];
    std::copy(seen.boxes.begin(), seen.boxes.end(), boxes.data<float>() + n * most * 4);
    std::copy(seen.labels.begin(), seen.labels.end(), labels.data<int32_t>() + n * most);
    counts.data<int32_t>()[n] = static_cast<int32_t>(seen.labels.size());
  }
  TrainingBatch batch;
  batch.images = place_images(images, config, execution, canvas);
  batch.gt_boxes = copy_to(boxes, execution.device);
  batch.gt_labels = copy_to(labels, execution.device);
  batch.gt_count = copy_to(counts, execution.device);
  batch.masks = copy_to(make_mask_table(masks, placements, most), execution.device);
  return batch;
}

}  // namespace mrcnn
