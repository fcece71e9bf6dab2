#include "tools/trainer/feed.h"

#include <algorithm>
#include <utility>

namespace mrcnn {
namespace {

// What is cut away in front, of `excess` pixels that are too many.
int64_t crop_of(int64_t excess, double choice) {
  return static_cast<int64_t>(static_cast<double>(excess) * choice);
}

ImagePlacement jittered(ImageSize photo, const Augmentation& chosen, int64_t canvas) {
  const double fit =
      static_cast<double>(canvas) / static_cast<double>(std::max(photo.height, photo.width));
  const auto scaled = [&](int64_t side) {
    const double length = static_cast<double>(side) * fit * chosen.jitter_scale;
    return std::max<int64_t>(1, static_cast<int64_t>(length));
  };
  ImagePlacement placement;
  placement.resized = {scaled(photo.height), scaled(photo.width)};
  placement.visible = {std::min(placement.resized.height, canvas),
                       std::min(placement.resized.width, canvas)};
  placement.crop_top = crop_of(placement.resized.height - placement.visible.height, chosen.crop_y);
  placement.crop_left = crop_of(placement.resized.width - placement.visible.width, chosen.crop_x);
  return placement;
}

}  // namespace

LoaderOptions loader_options(const TrainConfig& config) {
  LoaderOptions options;
  options.seed = config.seed;
  options.plan.batch = config.batch;
  options.augmentation.flip_probability = config.flip;
  options.augmentation.min_sizes = config.min_size;
  options.augmentation.jitter_canvas = config.lsj ? config.lsj_size : 0;
  options.sample.keep_crowd = config.compat;
  options.bad_samples =
      config.bad_images == BadImages::kSkip ? BadSamplePolicy::kSkip : BadSamplePolicy::kFail;
  options.threads = static_cast<int>(config.loader_threads);
  options.epoch_batches = (config.epoch_images + config.batch - 1) / config.batch;
  return options;
}

ImagePlacement place_sample(ImageSize photo, const Augmentation& chosen,
                            const FeedOptions& options) {
  ImagePlacement placement;
  if (options.jitter_canvas > 0) {
    placement = jittered(photo, chosen, options.jitter_canvas);
  } else {
    ResizeParams resize = options.resize;
    resize.min_size = chosen.min_size;
    placement = ImagePlacement::whole(resized_size(photo.height, photo.width, resize));
  }
  placement.flip = chosen.flip;
  return placement;
}

std::vector<TrainingImage> training_images(std::vector<Sample>& samples,
                                           const FeedOptions& options) {
  std::vector<TrainingImage> images;
  for (Sample& sample : samples) {
    const ImageSize photo{sample.pixels.size(0), sample.pixels.size(1)};
    TrainingImage image;
    image.pixels = std::move(sample.pixels);
    image.placement = place_sample(photo, sample.augmentation, options);
    image.boxes = sample.boxes;
    image.labels = sample.labels;
    image.masks = std::move(sample.masks);
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace mrcnn
