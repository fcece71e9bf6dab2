#include "tools/trainer/feed.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

ImagePlacement place(ImageSize photo, const Augmentation& chosen, int64_t canvas = 0) {
  return place_sample(photo, chosen,
                      {.resize = {.min_size = 800, .max_size = 100}, .jitter_canvas = canvas});
}

TEST_CASE("Each image is resized to the size chosen for it") {
  const ImagePlacement small = place({100, 50}, {.flip = false, .min_size = 25});
  CHECK(small.resized == ImageSize{50, 25});
  CHECK(small.visible == small.resized);
  CHECK(small.crop_top == 0);
  CHECK(small.crop_left == 0);
  CHECK_FALSE(small.flip);
  const ImagePlacement bounded = place({100, 50}, {.flip = true, .min_size = 80});
  CHECK(bounded.resized == ImageSize{100, 50});  // max_size
  CHECK(bounded.flip);
}

TEST_CASE("Large-scale jitter fits the canvas at scale 1") {
  const ImagePlacement placement =
      place({100, 50}, {.flip = true, .jitter_scale = 1, .crop_y = 0.9, .crop_x = 0.9}, 64);
  CHECK(placement.resized == ImageSize{64, 32});
  CHECK(placement.visible == ImageSize{64, 32});
  CHECK(placement.crop_top == 0);
  CHECK(placement.crop_left == 0);
  CHECK(placement.flip);
}

TEST_CASE("Large-scale jitter cuts what is larger than the canvas") {
  const auto at = [](double y, double x) {
    return place({50, 100}, {.jitter_scale = 2, .crop_y = y, .crop_x = x}, 64);
  };
  CHECK(at(0, 0).resized == ImageSize{64, 128});
  CHECK(at(0, 0).visible == ImageSize{64, 64});
  CHECK(at(0, 0).crop_left == 0);
  CHECK(at(0.5, 0.5).crop_left == 32);
  CHECK(at(0.5, 0.5).crop_top == 0);
  // The window stays inside.
  const ImagePlacement last = at(0.999999, 0.999999);
  CHECK(last.crop_left + last.visible.width <= last.resized.width);
}

TEST_CASE("Large-scale jitter leaves a pixel of a strip") {
  const ImagePlacement placement = place({1000, 2}, {.jitter_scale = 0.1}, 64);
  CHECK(placement.resized == ImageSize{6, 1});
}

TEST_CASE("Samples become training images") {
  std::vector<Sample> samples(1);
  samples[0].pixels = Tensor::zeros(Shape{40, 20, 3}, DType::kU8);
  samples[0].boxes = Tensor::from(std::vector<float>{1, 2, 3, 4}, {1, 4});
  samples[0].labels = Tensor::from(std::vector<int32_t>{2}, {1});
  samples[0].masks = {Rle{40, 20, {800}}};
  samples[0].augmentation = {.flip = true, .min_size = 10};
  const std::vector<TrainingImage> images =
      training_images(samples, {.resize = {.min_size = 1, .max_size = 1000}});
  REQUIRE(images.size() == 1);
  CHECK(images[0].pixels.shape() == Shape{40, 20, 3});
  CHECK(images[0].placement.resized == ImageSize{20, 10});
  CHECK(images[0].placement.flip);
  CHECK(images[0].boxes.data<const float>()[3] == 4);
  CHECK(images[0].labels.data<const int32_t>()[0] == 2);
  CHECK(images[0].masks.front().counts.front() == 800);
}

TEST_CASE("The loader does what the configuration says") {
  TrainConfig config;
  config.seed = 5;
  config.batch = 4;
  config.epoch_images = 9;
  config.flip = 0.25;
  config.min_size = {3, 4};
  config.lsj_size = 77;
  LoaderOptions options = loader_options(config);
  CHECK(options.seed == 5);
  CHECK(options.plan.batch == 4);
  CHECK(options.epoch_batches == 3);  // "about so many images"
  CHECK(options.augmentation.flip_probability == 0.25);
  CHECK(options.augmentation.min_sizes == std::vector<int64_t>{3, 4});
  CHECK(options.augmentation.jitter_canvas == 0);
  CHECK(options.bad_samples == BadSamplePolicy::kSkip);
  CHECK_FALSE(options.sample.keep_crowd);
  config.lsj = true;
  config.bad_images = BadImages::kFail;
  config.compat = true;
  config.epoch_images = 0;
  options = loader_options(config);
  CHECK(options.augmentation.jitter_canvas == 77);
  CHECK(options.bad_samples == BadSamplePolicy::kFail);
  CHECK(options.sample.keep_crowd);
  CHECK(options.epoch_batches == 0);
}

}  // namespace
}  // namespace mrcnn
